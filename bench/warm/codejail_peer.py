"""Python's CodeJail, configured as its own tests are: CODEJAIL_TEST_VENV and CODEJAIL_TEST_USER.

In: a line of JSON each, {"id", "code", "globals"}. Out: a line, {"id", "globals"}.
"""
import json
import os
import sys

from codejail import jail_code, safe_exec

jail_code.configure(
    'python', os.environ['CODEJAIL_TEST_VENV'] + '/bin/python', os.environ['CODEJAIL_TEST_USER'])
for name, value in {'REALTIME': 10, 'CPU': 10, 'NPROC': 0, 'PROXY': 0}.items():
    jail_code.set_limit(name, value)
print(json.dumps({'id': -1}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    found = request['globals']
    safe_exec.safe_exec(request['code'], found)
    print(json.dumps({'id': request['id'], 'globals': found}), flush=True)
