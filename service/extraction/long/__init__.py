"""Reading a long document in parts: asking about all of them within the limits, and mending what their answers lack.

What to cut, merge and doubt is decided in ``service.extraction.segments``.
"""
