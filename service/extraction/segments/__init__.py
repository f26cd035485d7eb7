"""Documents and answers in segments, as values: where to cut, where rows stand, how answers become one record. Pure.

- ``lines``, ``words``, ``shapes``: a document as numbered lines, the words of a record, what schemas and values say of rows
- ``excerpts``, ``relaxed``, ``relevant``: what a segment shows, what is asked of it, what a later question about it shows
- ``places``, ``overlaps``, ``seams``, ``merge``: where the rows of an answer stand, which are told twice, what a border
  cuts, and one record of all
- ``completeness``: what the document says about rows that the record lacks
"""
