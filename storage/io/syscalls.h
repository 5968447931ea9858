// Whole-transfer system calls with our errors, and the accounting every back end shares. Internal.
#pragma once
#include <cstddef>
#include <cstdint>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/io/disk.h"

namespace outcrop::io {

/// ENOENT -> not_found, EEXIST -> already_exists, ENOSPC and EDQUOT -> no_space, else io_error.
Error errno_error(int sys_errno);
inline std::unexpected<Error> fail_errno(int sys_errno) { return fail(errno_error(sys_errno)); }

/// Retry EINTR and continue short transfers. `direct`: a read that ends off kIoAlign is the end of
/// the file, for O_DIRECT could not continue there anyway.
Result<std::size_t> read_fully(int fd, bool direct, std::uint64_t offset, MutBytes out);
/// `durable`: on stable storage on return (RWF_DSYNC, or fdatasync where the kernel lacks it).
Result<void> write_fully(int fd, std::uint64_t offset, ConstBytes data, bool durable);
Result<void> sync_data(int fd);

/// invalid_argument unless the transfer may be given to `file`: a direct file takes only transfers
/// aligned to kIoAlign in offset, length and address.
Result<void> check_transfer(const File& file, std::uint64_t offset, ConstBytes memory);

std::int64_t steady_ns();
/// Books one finished operation.
void account(DiskStats& stats, OpKind kind, std::size_t bytes, std::int64_t ns, bool good);

}  // namespace outcrop::io
