"""The record of events with their reasons, pictures, and black boxes; bounded in age and size."""
