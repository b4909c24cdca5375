// Handles of the event loop, which outlive those who made them.
#pragma once

#include <uv.h>

#include <memory>

namespace codejail {

// libuv refers to a handle until its close callback has run, so only that may free it.
template <typename Handle>
void free_handle(uv_handle_t* closed) {
  const std::unique_ptr<Handle> memory(reinterpret_cast<Handle*>(closed));
}

}  // namespace codejail
