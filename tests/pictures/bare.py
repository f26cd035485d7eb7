"""Text of pictures by bare rapidocr, as the sandbox uses the `ocr` extra: run by an interpreter that has it.

Reads paths, one a line, and prints their texts as a JSON object.
"""

import json
import sys
from pathlib import Path

from service.sandbox.reader.ocr import available, read_images

if __name__ == "__main__":
    assert available(), "the `ocr` extra is not installed here"
    paths = [Path(line.strip()) for line in sys.stdin if line.strip()]
    json.dump({str(path): read_images([path.read_bytes()]) for path in paths}, sys.stdout)
