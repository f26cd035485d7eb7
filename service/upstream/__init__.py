"""The provider behind one door: the only place that imports the ``openai`` SDK."""
