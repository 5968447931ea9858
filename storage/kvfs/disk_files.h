// RocksDB's file objects over io::File, and errors in RocksDB's words. Internal.
#pragma once
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

#include "storage/io/disk.h"

namespace outcrop::kvfs {

rocksdb::IOStatus to_status(const Error& error, std::string_view path);
template <class T>
rocksdb::IOStatus to_status(const Result<T>& result, std::string_view path) {
  return result ? rocksdb::IOStatus::OK() : to_status(result.error(), path);
}

using FilePtr = std::unique_ptr<io::File>;

std::unique_ptr<rocksdb::FSSequentialFile> sequential_file(FilePtr file, std::string path);
std::unique_ptr<rocksdb::FSRandomAccessFile> random_access_file(FilePtr file, std::string path);
/// Appends from `size`, the length the file has.
std::unique_ptr<rocksdb::FSWritableFile> writable_file(FilePtr file,
                                                       std::string path,
                                                       std::uint64_t size,
                                                       const rocksdb::FileOptions& options);
std::unique_ptr<rocksdb::FSDirectory> directory(io::Disk& disk, std::string path);

}  // namespace outcrop::kvfs
