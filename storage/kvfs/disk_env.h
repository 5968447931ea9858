// A RocksDB Env whose files lie on an io::Disk: the same database runs on a drive directory and in
// the crash simulation, and its I/O shows in the drive's statistics.
#pragma once
#include <memory>

#include "storage/io/disk.h"

namespace rocksdb {
class Env;
}

namespace outcrop::kvfs {

/// Paths given to RocksDB are relative to the drive ("meta/kv"); a leading '/' is ignored. Threads
/// and clocks are those of Env::Default(), but on a simulated drive nothing sleeps. Files are
/// buffered; LockFile excludes only users of this Env (processes are kept apart by Disk::lock);
/// loggers write nothing. `disk` must outlive it.
std::unique_ptr<rocksdb::Env> make_disk_env(io::Disk& disk);

}  // namespace outcrop::kvfs
