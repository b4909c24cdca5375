// When what is held is written: a line at once while tokens last, anything within five
// milliseconds.
//
// Then a timer's signal interrupts whatever the program does, be it a loop in C, and its handler
// writes. There is a signal only where something is held: a program that waits for signals of its
// own, or whose system calls are not restarted, meets none that it has not printed before.
#pragma once

#include "output/buffer.h"

namespace codejail {

class Pace {
 public:
  // To be called once, before any other. A library has its handlers and buffers for as long as the
  // process lives.
  static void begin(OutputBuffer* first, OutputBuffer* second);
  // A line's end has been put into the buffer. With the interpreter's lock.
  static void end_line(OutputBuffer& buffer);
  // Something was put into it, and no end of a line.
  static void go_on(OutputBuffer& buffer);
  // Both are empty, or are to wait.
  static void rest();
  // In the child of a fork, or another process that has this memory: timers are not inherited.
  static void renew();
  // Before this process ends, or becomes another program. Nothing where it is not the one that
  // printed: a child of vfork(2), for one.
  static void deliver_last();
};

}  // namespace codejail
