"""`python -m hil.campaign`."""

import sys

from hil.campaign.campaign import main

sys.exit(main())
