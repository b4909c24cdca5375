// One line a check: guarantee, what was tried, whether the jail held, what was seen instead, and
// what tells the check from others, where it has a cure of its own.
#pragma once

namespace codejail_probe {

// Whatever their words are: CHECK_CURES of lib/confinement/guarantees.ts.
constexpr char kSeeProcesses[] = "see-processes";
constexpr char kCoreHandler[] = "core-handler";
constexpr char kHideFromSums[] = "hide-from-sums";

void report(const char* guarantee, const char* check, bool held, const char* seen = "",
            const char* id = "");
// For a call that must be refused: holds when `result` is negative and errno is a refusal.
void report_refused(const char* guarantee, const char* check, long result);

// What the server tells of itself and of the limits, as name=value arguments. "" where it is
// absent.
const char* expected(const char* name);
long expected_number(const char* name, long otherwise);
void read_expectations(int argc, char** argv);

void check_apparmor();
void check_files();
void check_network();
// First: what an attempt opens stays open.
void check_descriptors();
void check_processes();
void check_metadata();
void check_identity();
void check_kernel();
void check_limits();

}  // namespace codejail_probe
