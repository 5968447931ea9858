#include "storage/kvfs/disk_files.h"

namespace outcrop::kvfs {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

ConstBytes bytes_of(const Slice& slice) {
  return {reinterpret_cast<const std::byte*>(slice.data()), slice.size()};
}

IOStatus read_at(io::File& file,
                 const std::string& path,
                 std::uint64_t offset,
                 std::size_t n,
                 Slice* result,
                 char* scratch) {
  const auto got = file.read_sync(offset, {reinterpret_cast<std::byte*>(scratch), n});
  *result = Slice(scratch, got ? *got : 0);
  return to_status(got, path);
}

class DiskSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  DiskSequentialFile(FilePtr file, std::string path)
      : x_file(std::move(file)), x_path(std::move(path)) {}

  IOStatus Read(
      size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const IOStatus status = read_at(*x_file, x_path, x_at, n, result, scratch);
    x_at += result->size();
    return status;
  }
  IOStatus Skip(uint64_t n) override {
    x_at += n;
    return IOStatus::OK();
  }

 private:
  const FilePtr x_file;
  const std::string x_path;
  std::uint64_t x_at = 0;
};

class DiskRandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  DiskRandomAccessFile(FilePtr file, std::string path)
      : x_file(std::move(file)), x_path(std::move(path)) {}

  IOStatus Read(uint64_t offset,
                size_t n,
                const IOOptions&,
                Slice* result,
                char* scratch,
                IODebugContext*) const override {
    return read_at(*x_file, x_path, offset, n, result, scratch);
  }

 private:
  const FilePtr x_file;
  const std::string x_path;
};

class DiskWritableFile final : public rocksdb::FSWritableFile {
 public:
  DiskWritableFile(FilePtr file,
                   std::string path,
                   std::uint64_t size,
                   const rocksdb::FileOptions& options)
      : FSWritableFile(options), x_file(std::move(file)), x_path(std::move(path)), x_size(size) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const auto wrote = open() ? x_file->write_sync(x_size, bytes_of(data)) : closed();
    x_size += wrote ? data.size() : 0;
    return to_status(wrote, x_path);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const auto cut = open() ? x_file->truncate(size) : closed();
    x_size = cut ? size : x_size;
    return to_status(cut, x_path);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    x_file.reset();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return to_status(open() ? x_file->sync() : closed(), x_path);
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return x_size; }
  /// Write-back hints only; what must be durable is synced.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  bool open() const { return x_file != nullptr; }
  static Result<void> closed() { return fail(Errc::invalid_argument, "the file is closed"); }

  FilePtr x_file;
  const std::string x_path;
  std::uint64_t x_size;
};

class DiskDirectory final : public rocksdb::FSDirectory {
 public:
  DiskDirectory(io::Disk& disk, std::string path) : x_disk(disk), x_path(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return to_status(x_disk.sync_dir(x_path), x_path);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  io::Disk& x_disk;
  const std::string x_path;
};

}  // namespace

IOStatus to_status(const Error& error, std::string_view path) {
  const std::string what = error.describe();
  const Slice where(path.data(), path.size());
  switch (error.code()) {
    case Errc::not_found:
      return IOStatus::PathNotFound(where, what);
    case Errc::no_space:
      return IOStatus::NoSpace(where, what);
    case Errc::corrupt:
      return IOStatus::Corruption(where, what);
    case Errc::invalid_argument:
      return IOStatus::InvalidArgument(where, what);
    default:
      return IOStatus::IOError(where, what);
  }
}

std::unique_ptr<rocksdb::FSSequentialFile> sequential_file(FilePtr file, std::string path) {
  return std::make_unique<DiskSequentialFile>(std::move(file), std::move(path));
}

std::unique_ptr<rocksdb::FSRandomAccessFile> random_access_file(FilePtr file, std::string path) {
  return std::make_unique<DiskRandomAccessFile>(std::move(file), std::move(path));
}

std::unique_ptr<rocksdb::FSWritableFile> writable_file(FilePtr file,
                                                       std::string path,
                                                       std::uint64_t size,
                                                       const rocksdb::FileOptions& options) {
  return std::make_unique<DiskWritableFile>(std::move(file), std::move(path), size, options);
}

std::unique_ptr<rocksdb::FSDirectory> directory(io::Disk& disk, std::string path) {
  return std::make_unique<DiskDirectory>(disk, std::move(path));
}

}  // namespace outcrop::kvfs
