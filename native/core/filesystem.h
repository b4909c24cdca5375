// The jail's own root: a tmpfs that holds only what the spec lists, entered by pivot_root.
#pragma once

#include <cstddef>
#include <memory>

#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// What the binds of the spec show of the host, opened while the caller is still who may reach it.
class HostSources {
 public:
  Status open(const Spec& spec);
  // In the order of the spec's records.
  [[nodiscard]] const Descriptor& next() { return opened_[next_++]; }

 private:
  std::unique_ptr<Descriptor[]> opened_;
  std::size_t next_ = 0;
};

// Builds the root, enters it and cuts the host's tree off. Afterwards "/" is the jail's.
// `tmp_directory` receives a descriptor of the writable directory.
Status enter_own_root(const Spec& spec, HostSources& sources, Descriptor& tmp_directory);

// In a mount namespace that is a copy of a template's: mounts what belongs to one cell alone.
Status enter_cell_root(const Spec& spec, Descriptor& tmp_directory);

// Without a mount namespace: makes the jail's directory on the host, with its files and with a tmp
// that belongs to the sandbox. The server removes it. As long as `lock` or `tmp_directory` is open
// somewhere, no sweep of any server does, also of one that sees no lease of this one's.
Status make_host_directory(const Spec& spec, Descriptor& tmp_directory, Descriptor& lock);

}  // namespace codejail
