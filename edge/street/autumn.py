"""The street in autumn: trees, fallen leaves, and tables of goods before the shops."""

import numpy as np
from PIL import Image

from edge.street.background import Weather
from edge.street.foliage import Avenue, strew
from edge.street.goods import put_out
from edge.street.pinhole import PinholeCamera
from edge.street.placed import Decor, Standing

# Of the street, so the same for every seed of people.
LEAVES_SEED, GOODS_SEED, TREES_SEED = (0, 21), (0, 22), (0, 23)


def _lay(picture: Image.Image, view: PinholeCamera, weather: Weather) -> Image.Image:
    strewn = strew(picture, view, weather, np.random.default_rng(LEAVES_SEED))
    return put_out(strewn, view, weather, np.random.default_rng(GOODS_SEED))


def _stand(view: PinholeCamera, weather: Weather) -> Standing:
    return Avenue(view, weather, np.random.default_rng(TREES_SEED))


AUTUMN = Decor(_lay, _stand)
