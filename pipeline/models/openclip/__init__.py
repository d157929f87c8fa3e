"""Any open_clip model, converted to OpenVINO beforehand: no torch at run time."""
