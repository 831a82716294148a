"""The one place where a camera is chosen."""
# ruff: noqa: PLC0415 -- the libraries of a camera are loaded only when it is chosen

from edge.site import Site
from edge.site.schema import PiCameraOptions, PicturesOptions, RigCameraOptions, StreamOptions
from edge.watch.cameras.camera import Camera


def open_camera(site: Site) -> Camera:
    """The camera that the site file asks for."""
    options = site.camera
    if isinstance(options, PicturesOptions):
        from edge.watch.cameras.pictures import PicturesCamera

        return PicturesCamera(options, site.path(options.folder))
    if isinstance(options, StreamOptions):
        from edge.watch.cameras.stream import StreamCamera

        return StreamCamera(options, site.path)
    if isinstance(options, PiCameraOptions):
        from edge.watch.cameras.picamera import PiCamera

        return PiCamera(options)
    if isinstance(options, RigCameraOptions):
        from edge.watch.cameras.rig import RiggedCamera

        return RiggedCamera(options, site.path(options.folder))
    from edge.watch.cameras.scene_camera import SceneCamera

    return SceneCamera(options)
