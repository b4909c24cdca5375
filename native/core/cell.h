// What a cell is told when its call begins.
//
// The words that are this project's own:
// - template: the Python that has imported what calls need, and never sees a call
// - cell: a process forked from it, with namespaces of its own, that runs one call
// - nursery: the small process beside the template that forks the supervisor (PID 1) of each cell
// - scout: the first child of a template; it goes the way of a call, and tells the pages written to
// - keeper: a process that shares a cell's memory, so that it is freed after the call's end
// - lifeline: the pipe whose other end the server has; when it closes, keepers are killed
// - handover: the socket by which a cell's descriptors reach the template
#pragma once

#include <cstdint>

#include "core/rlimits.h"

namespace codejail {

// How long after a call has begun its supervisor first looks at it, in nanoseconds: most calls are
// over by then, and to wake it costs a tenth of such a call.
constexpr long kFirstLookNs = 8000000;

enum class CallKind : std::uint32_t {
  kExec,           // safeExec: the runner reads its request from what follows
  kScript,         // the first word is the program, as `python PROGRAM ...` runs it
  kProbe,          // the words are the probe's
  kAnnounced,      // it is about to come, and nothing follows this head
  kExecWithWords,  // as kExec; the words are sys.argv
  kSession,        // as kExec: what runs steps
};

constexpr std::uint32_t kCallMagic = 0x4c4c4143;  // "CALL"

// The head of what the server writes on a cell's request pipe: limits, then `size` bytes of files
// and words; the `request_size` bytes that come after it are the program's. All of it is the
// server's own, made from checked arguments.
struct CallHeader {
  std::uint32_t magic;
  CallKind kind;
  std::uint64_t size;
  std::uint64_t request_size;
  Rlimits rlimits;  // that of the stack is set when a Python starts: here it changes nothing
  std::uint32_t directory_count;
  std::uint32_t file_count;
  std::uint32_t word_count;
  std::uint32_t padding;
};

// Each directory, file and word, in this order: two lengths, then the name and the content (of a
// word the name alone), each followed by a NUL.
struct CallPart {
  std::uint32_t name_length;
  std::uint32_t padding;
  std::uint64_t content_length;
};

}  // namespace codejail
