// Where a keeper waits: a page of instructions that nobody can change, though the program of its
// cell can change all else of the memory that the two share. Should the keeper ever come back from
// the kernel (a stop signal does that, a freezer, a suspended host), it goes on here, by registers
// alone, and waits again.
#pragma once

#include <atomic>

namespace codejail {

// Of a template, once; its cells have it from there. Where the kernel can't seal memory (before
// Linux 6.10, mseal(2)), there is none.
void make_sealed_wait();
[[nodiscard]] bool has_sealed_wait();

// Sets `is_done` and waits for ever to read from that descriptor: both in the sealed page.
[[noreturn]] void wait_sealed(std::atomic<bool>& is_done, int descriptor);

}  // namespace codejail
