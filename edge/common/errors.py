"""The errors a technician may meet: one root, one sentence each."""


class RedRoadError(Exception):
    """Something is wrong that one line can explain: what, value, bound, remedy."""


class SiteError(RedRoadError, ValueError):
    """The site file cannot be used as it stands."""


class GroundError(RedRoadError, ValueError):
    """The marked points give no ground plane, or zones do not lie on what it shows."""


class CameraError(RedRoadError, OSError):
    """The camera gives no frame, or none in time."""


class PictureError(RedRoadError, ValueError):
    """A picture or video cannot be read."""


class LabelsError(RedRoadError, ValueError):
    """Labels of pictures, or another table of a user's, cannot be read."""


class ViewError(RedRoadError, OSError):
    """What is known of the camera's view cannot be read or kept."""


class ModelError(RedRoadError):
    """The counter's model file is missing, altered or foreign."""


class PanelError(RedRoadError, OSError):
    """The LED panel does not take what it is given."""


class LayoutError(RedRoadError, ValueError):
    """A page of text cannot be laid out on the panel."""


class VoiceError(RedRoadError, OSError):
    """A spoken warning cannot be made or played."""


class CardBusyError(VoiceError):
    """The sound card is there, and another program plays on it."""


class DriverError(RedRoadError, OSError):
    """A driver in a process of its own hung, or ended by itself."""


class BeaconError(RedRoadError, OSError):
    """The beacon's pin cannot be driven."""


class InputError(RedRoadError, OSError):
    """Door contact, service button or light feedback cannot be read."""


class OutboxError(RedRoadError, OSError):
    """The outbox cannot keep what must go upstream."""


class LinkError(RedRoadError, OSError):
    """The sockets between the programs cannot be used."""


class BrokerError(RedRoadError, OSError):
    """The MQTT broker cannot be used."""


class MachineError(RedRoadError, OSError):
    """The machine is not fit: its clock, memory, heat or power."""


class ServiceError(RedRoadError, OSError):
    """A service of the unit does not run as it must."""


class BundleError(RedRoadError, OSError):
    """The support bundle, or a part of it, cannot be had."""


class CommandError(RedRoadError, ValueError):
    """A command from upstream asks for what it may not."""
