// The files of the audit log in their folder: audit.log, which is appended to, and audit.log.1 (the
// newest) to audit.log.N behind it. All are 0600; one process has them at a time. Blocking; one
// thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "auth/audit/line.h"
#include "storage/base/result.h"

namespace outcrop::audit {

struct FileLimits {
  std::uint64_t file_bytes = 64 << 20;  ///< a file that would grow beyond is rotated away
  unsigned files = 16;                  ///< kept, audit.log among them
};

class AuditFile {
 public:
  /// What open() found at the end of the newest file.
  struct Found {
    Link last;               ///< where the chain goes on
    std::uint64_t torn = 0;  ///< bytes of a line that a crash cut off; they were taken away
    bool damaged = false;    ///< the last line does not verify: it was rotated away, and the
                             ///< chain starts anew
  };

  /// Makes the folder (0700) and the file. Errc::config, with one line for the operator: they
  /// cannot be used, or another process has them.
  static Result<AuditFile> open(const std::filesystem::path& folder,
                                const FileLimits& limits,
                                Found& found);
  AuditFile(AuditFile&& other) noexcept;
  AuditFile& operator=(AuditFile&&) = delete;
  ~AuditFile();

  /// Whole lines. An error (no_space, io_error) leaves the file as it was.
  Result<void> append(std::string_view lines);
  /// Whether so many more bytes go beyond the limit; an empty file takes any line.
  bool full(std::size_t more) const { return x_size > 0 && x_size + more > x_limits.file_bytes; }
  /// Starts a new file; of the old ones, so many are kept as the limits say.
  Result<void> rotate();
  Result<void> sync();

 private:
  AuditFile(std::filesystem::path folder, const FileLimits& limits)
      : x_folder(std::move(folder)), x_limits(limits) {}
  std::filesystem::path name(unsigned number) const;
  Result<void> open_current();
  Result<void> recover(Found& found);
  Result<void> remove_beyond_limit() const;
  Result<void> sync_folder() const;

  std::filesystem::path x_folder;
  FileLimits x_limits;
  int x_fd = -1;
  std::uint64_t x_size = 0;  ///< of whole lines; the file may have a broken one behind them
  bool x_dirty_tail = false;
};

}  // namespace outcrop::audit
