"""Settings of the simulated accelerator from what `gpu_probe` printed on a real one.

A recorded `make gpu-check` on a GPU has them in `probe.txt`. Of several devices the
first counts.
"""

import re

PRODUCT = re.compile(r"^product +(\d+) wide: +([\d.]+) us", re.MULTILINE)
QUEUE = re.compile(
    r"^queue: \d+ products of (?P<product>\d+) us .*, a launch (?P<launch>[\d.]+) us; "
    r".*; (?:first wait at launch (?P<first>\d+)|no wait)$",
    re.MULTILINE,
)
CLOCK = re.compile(r"^clock, of its highest: idle ([\d.]+), ", re.MULTILINE)
DOCTORS_PRODUCT = 512
"""Width of the products that the doctor queues."""


def costs(text):
    """Return settings of timeline.h.

    Args:
        text: of `probe.txt`.

    Raises:
        ValueError: when the text does not tell how launches are queued, or how long a
            product takes.
    """
    queue, products = QUEUE.search(text), dict(PRODUCT.findall(text))
    if queue is None or str(DOCTORS_PRODUCT) not in products:
        raise ValueError(
            f"probe: must tell the queue and a product {DOCTORS_PRODUCT} wide"
        )
    product_s = float(products[str(DOCTORS_PRODUCT)]) * 1e-6
    found = {
        "launch_s": float(queue["launch"]) * 1e-6,
        "multiply_adds_per_s": DOCTORS_PRODUCT**3 / product_s,
        "skip_products": 1,  # this CPU could not compute them in that time
    }
    if queue["first"]:
        # until the first wait, the device has done some of what was launched
        done = float(queue["launch"]) / float(queue["product"])
        found["queue_depth"] = round(int(queue["first"]) * (1 - done))
    if clock := CLOCK.search(text):
        found["idle_share"] = float(clock[1])
    return found
