"""The live page under load: a long list, the first rows, a storm of events, many dashboards."""
