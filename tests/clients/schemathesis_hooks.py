"""What schemathesis cannot know by itself: archives are lines of JSON, which it sends as the text they are."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
