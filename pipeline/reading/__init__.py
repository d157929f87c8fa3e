"""The words in a picture: found, recognised, put in order and made ready to be spoken."""
