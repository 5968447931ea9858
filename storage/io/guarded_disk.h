// A Disk whose synchronous calls end: threads of the drive's own make them, and who waits for one
// gets io_error when the drive is given up, or gives it up after the limit of a call. A thread that
// hangs in the kernel keeps what it works on. Internal, but for tests.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "storage/io/disk.h"

namespace outcrop::io {

using DiskOpener = std::move_only_function<Result<std::unique_ptr<Disk>>()>;

/// `opener` is such a call, too. `name` is what messages call the drive.
Result<std::unique_ptr<Disk>> open_guarded(std::string name,
                                           DiskOpener opener,
                                           std::chrono::milliseconds call_limit = kCallLimit);
/// open_posix_disk() without the guard.
Result<std::unique_ptr<Disk>> open_plain_disk(std::string path);

}  // namespace outcrop::io
