"""The one place where a camera is chosen."""
# ruff: noqa: PLC0415 -- the libraries of a camera are loaded only when it is chosen

from edge.site import Site
from edge.site.schema import PiCameraOptions, PicturesOptions, RigCameraOptions, StreamOptions
from edge.watch.cameras.camera import Camera
from edge.watch.cameras.learnt import Learnt


def open_camera(site: Site, learnt: Learnt | None = None) -> Camera:
    """Return the camera that the site file asks for; `learnt` keeps what is found out about it."""
    options = site.camera
    if isinstance(options, PicturesOptions):
        from edge.watch.cameras.pictures import PicturesCamera

        return PicturesCamera(options, site.path(options.folder))
    if isinstance(options, StreamOptions):
        from edge.watch.cameras.stream import StreamCamera

        return StreamCamera(options, site.path, learnt)
    if isinstance(options, PiCameraOptions):
        from edge.watch.cameras.picamera import PiCamera

        return PiCamera(options)
    if isinstance(options, RigCameraOptions):
        from edge.watch.cameras.rig import RiggedCamera

        return RiggedCamera(options, site.path(options.folder))
    from edge.watch.cameras.scene_camera import SceneCamera

    return SceneCamera(options)


def remedy_if_slow(site: Site) -> str:
    """Return what to do where the camera gives too few pictures: the option that matters."""
    options = site.camera
    if isinstance(options, PicturesOptions):
        return f"camera.every_s is {options.every_s:g}, set it to 1 or less"
    if isinstance(options, StreamOptions) and options.url.lower().startswith(
        ("http://", "https://")
    ):
        return (
            f"camera.every_s is {options.every_s:g} and camera.fps {options.fps:g}: ask for one a "
            "second, of smaller pictures, or use its RTSP stream"
        )
    return (
        f"camera.fps is {options.fps:g}: let it, and the frame rate set in the camera, be 2 or more"
    )
