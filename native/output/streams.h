// Python's standard streams, over buffers of this library's.
#pragma once

namespace codejail {

// Has sys.stdout and sys.stderr write here, where they are as Python makes them for a pipe, and
// leaves them alone where not (`python -u`). They stay the same objects, of the same types: what is
// replaced are a few of their methods. With the interpreter's lock.
void take_streams();

}  // namespace codejail
