"""Runs steps in a kernel of Jupyter's. In and out as `python.py`."""
import json
import sys

import ipykernel  # noqa: F401
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name='python3')
try:
    print('{"value": "ready", "milliseconds": 0}', flush=True)
    for line in sys.stdin:
        shown = []

        def hook(message):
            if message['msg_type'] == 'execute_result':
                shown.append(message['content']['data']['text/plain'])

        client.execute_interactive(json.loads(line)['code'], output_hook=hook, timeout=60)
        print(json.dumps({'value': shown[-1] if shown else None, 'milliseconds': 0}), flush=True)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
