// The call of a cell: read from the server, and applied before the program runs.
#pragma once

#include <memory>

#include "cell/call_parts.h"
#include "cell/confine.h"
#include "core/cell.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// What the template had before it imported anything: `memory` and `vmem` mean the same as in a jail
// with a Python of its own.
struct Footprint {
  std::uint64_t resident_bytes = 0;
  std::uint64_t address_bytes = 0;
  std::uint64_t data_bytes = 0;

  [[nodiscard]] static Footprint measure();
  [[nodiscard]] Footprint beyond(const Footprint& bare) const;
};

class Call {
 public:
  // Waits for it, or for word that it is about to come. `is_there` is false where the server has
  // closed the pipe instead: the cell serves none. Everything that is read is the server's own; the
  // program's request stays in the pipe.
  Status read(bool& is_there);
  // Stays awake for a moment, until something has come: to be called where a call was announced.
  static void busy_poll();
  // As if a call without files and words had been read, whose program's request has so many bytes.
  void rehearse(std::uint64_t request_size);
  // Makes its files, and gives up what was still allowed for that.
  Status apply(const Spec& spec, const Footprint& inherited, Confined& confined);

  [[nodiscard]] CallKind kind() const { return header_.kind; }
  [[nodiscard]] std::uint64_t request_size() const { return header_.request_size; }
  [[nodiscard]] std::size_t word_count() const { return parts_.word_count(); }
  [[nodiscard]] const char* word(std::size_t index) { return parts_.word(index).name; }

 private:
  struct Free {
    void operator()(char* memory) const;
  };

  Status make_files();

  CallHeader header_{};
  std::unique_ptr<char[], Free> body_;
  CallParts parts_;
};

}  // namespace codejail
