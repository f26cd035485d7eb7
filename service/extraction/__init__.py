"""The pipeline: document + schema → validated record, with every attempt recorded."""

from service.extraction.run import Arguments, Extraction, Extractor, Piece, Settings, body
from service.extraction.store import Store
from service.extraction.wire import Options

__all__ = ["Arguments", "Extraction", "Extractor", "Options", "Piece", "Settings", "Store", "body"]
