import time
from tests.daemon.desk.test_page_live import *
from daemon.control_client import connect_any
from daemon.desk_commands import Try
def test_t(living, address, capsys):
    import httpx
    time.sleep(20)
    with capsys.disabled():
        for _ in range(3):
            t=time.monotonic()
            if True:
                from daemon.control_client import ControlClient; r=ControlClient(living.socket,120).ask(Try(thresholds={"vehicle":0.97}))
            print("\ndirect", round(time.monotonic()-t,2), r["seconds"], len(r["before"]))
            t=time.monotonic()
            r=httpx.post(address+"try", json={"thresholds":{"vehicle":0.97}}, timeout=120, trust_env=False)
            print("desk", round(time.monotonic()-t,2), r.status_code)
