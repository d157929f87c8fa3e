"""RTSP, RTMP and other streams through PyAV."""
