"""Where each value of a record stands in its document, without trusting the model. Pure: no I/O, CPU-bound.

A map in words, in the order in which a record passes through:

- ``folding``, ``numbers``, ``dates``, ``glance``, ``months``, ``times``, ``wanted``, ``currencies``: when two spellings say the same
- ``index``, ``rows``, ``cells``: a document made ready: one text, the way back to boxes, rows and cells
- ``leaves``, ``outline``, ``lexicon``: the record's leaves, and what the schema says of their labels
- ``candidates``, ``fuzzy``: all places that say a value; ``neighbours``, ``columns``, ``order``, ``assign``: which of
  them is meant
- ``derive``: values that need no place; ``locate``: all of it; ``evidence``: what comes out; ``confidence``, ``logprobs``: how sure it is
- ``quotes``: what the model quotes, asked for beside the record
"""

from service.extraction.evidence.confidence import CALIBRATED, Severity, confident
from service.extraction.evidence.evidence import Evidence, bodies
from service.extraction.evidence.index import Index
from service.extraction.evidence.locate import locate
from service.extraction.evidence.logprobs import leaf_probabilities
from service.extraction.evidence.outline import Outline

__all__ = [
    "CALIBRATED",
    "Evidence",
    "Index",
    "Outline",
    "Severity",
    "bodies",
    "confident",
    "leaf_probabilities",
    "locate",
]
