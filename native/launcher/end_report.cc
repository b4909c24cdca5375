#include "launcher/end_report.h"

#include <signal.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include <algorithm>

#include "core/microseconds.h"
#include "core/tmpfs.h"

namespace codejail {
namespace {

// Of a program that its exec may have killed.
void look_at_image(const Spec& spec, int wait_status, Allocations& allocations) {
  const Record program = spec.find(RecordKind::kProgram);
  if (program.header != nullptr && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSEGV) {
    allocations.look_at_image(program.path);
  }
}

}  // namespace

void tell_disk(Report& report, const Descriptor& tmp_directory) {
  struct statfs disk {};
  if (!tmp_directory.valid() || fstatfs(tmp_directory.get(), &disk) != 0) {
    return;
  }
  report.disk_bytes = (disk.f_blocks - disk.f_bfree) * static_cast<std::uint64_t>(disk.f_bsize);
  report.disk_files = disk.f_files > 0 ? disk.f_files - disk.f_ffree - kOwnInodes : 0;
  report.disk_full = disk.f_blocks > 0 && disk.f_bfree == 0 ? 1 : 0;
  report.files_full = disk.f_files > 0 && disk.f_ffree == 0 ? 1 : 0;
}

void complete_report(Report& report, const Spec& spec, const SampledSums& sums,
                     CountedCalls& counted, const Descriptor& tmp_directory, const rusage& usage) {
  report.kind = ReportKind::kEnded;
  report.user_us = sums.user_us(microseconds(usage.ru_utime));
  report.system_us = sums.system_us(microseconds(usage.ru_stime));
  report.cpu_us = std::max(sums.cpu_us(), report.user_us + report.system_us);
  report.peak_sum_bytes = sums.peak_bytes();
  report.peak_data_bytes = sums.peak_data_bytes();
  report.peak_stack_bytes = sums.peak_stack_bytes();
  look_at_image(spec, report.wait_status, counted.allocations());
  report.over_data_bytes = counted.allocations().over_data_bytes();
  report.over_address_bytes = counted.allocations().over_address_bytes();
  report.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
  tell_disk(report, tmp_directory);
}

}  // namespace codejail
