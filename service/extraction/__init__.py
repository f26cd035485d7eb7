"""The pipeline: document + schema → validated record, with every attempt recorded."""

from service.extraction.arguments import Arguments, Piece
from service.extraction.inputs import Inputs
from service.extraction.result import Extraction, body
from service.extraction.run import Extractor
from service.extraction.settings import Settings
from service.extraction.store import Store
from service.extraction.wire import Options

__all__ = ["Arguments", "Extraction", "Extractor", "Inputs", "Options", "Piece", "Settings", "Store", "body"]
