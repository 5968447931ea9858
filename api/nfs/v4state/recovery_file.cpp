#include "api/nfs/v4state/recovery_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "storage/base/codec.h"
#include "storage/base/log.h"
#include "storage/digest/xxh.h"

namespace outcrop::nfs {

namespace {

constexpr std::string_view kMagic = "OCNFSCL1";
/// Owner, host and the rest of one record are less.
constexpr std::size_t kMaxEntryBytes = 8 << 10;
/// No state manager has so many clients; more is not our file.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{256} << 20;
/// Below this a rewrite is not worth it.
constexpr std::uint64_t kMinRewriteBytes = 64 << 10;

/// u32 length of the payload, its complement, u64 XXH3 of the payload, payload: u8 erase, the
/// record. The complement tells a damaged length from a tail that was cut off.
std::string entry_of(const RecoveryChange& change) {
  std::string payload(1, change.erase ? '\1' : '\0');
  payload += encode(change.record);
  Writer out;
  const auto length = static_cast<std::uint32_t>(payload.size());
  out.u32(length);
  out.u32(~length);
  out.u64(digest::xxh3_64(as_bytes(payload), payload.size()));
  out.bytes(payload);
  return std::move(out).take();
}

Error last_error(const char* what) {
  const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::no_space
                    : errno == EROFS                   ? Errc::read_only
                                                       : Errc::io_error;
  log::error("NFSv4 recovery file", {{"operation", what}, {"errno", std::to_string(errno)}});
  return Error(code, errno);
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail(last_error("write"));
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

Result<void> sync_directory_of(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.parent_path();
  const int fd = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(last_error("open directory"));
  }
  const bool synced = ::fsync(fd) == 0;
  const Result<void> result = synced ? ok() : fail(last_error("sync directory"));
  ::close(fd);
  return result;
}

}  // namespace

FileRecoveryStore::~FileRecoveryStore() { close(); }

void FileRecoveryStore::close() {
  if (x_fd >= 0) {
    ::close(x_fd);
    x_fd = -1;
  }
}

Task<std::vector<RecoveryRecord>> FileRecoveryStore::load() {
  co_return co_await x_pool.run([this] { return read(); });
}

Task<> FileRecoveryStore::apply(std::vector<RecoveryChange> changes) {
  co_return co_await x_pool.run([this, &changes] { return append(changes); });
}

Result<std::vector<RecoveryRecord>> FileRecoveryStore::read() {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(x_file, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(Errc::io_error, x_file.string() + ": " + error.message());
  }
  if (!error) {
    std::string text;
    if (size <= kMaxFileBytes) {
      std::ifstream in(x_file, std::ios::binary);
      text.assign(std::istreambuf_iterator<char>(in), {});
      if (in.bad() || text.size() != size) {
        return fail(Errc::io_error, x_file.string() + ": cannot be read");
      }
    }
    std::vector<RecoveryChange> log;
    if (replay_recovery_log(text, log)) {
      for (RecoveryChange& change : log) {
        take(std::move(change));
      }
    } else {
      std::filesystem::path aside = x_file;
      aside += ".damaged";
      std::filesystem::rename(x_file, aside, error);
      log::warn("NFSv4 recovery file is damaged: clients cannot reclaim their state",
                {{"file", x_file.string()}, {"kept_as", aside.string()}});
    }
  }
  TRYV(rewrite());
  std::vector<RecoveryRecord> out;
  for (const auto& [key, record] : x_records) {
    out.push_back(record);
  }
  return out;
}

bool replay_recovery_log(std::string_view text, std::vector<RecoveryChange>& out) {
  if (!text.starts_with(kMagic)) {
    return false;
  }
  text.remove_prefix(kMagic.size());
  while (!text.empty()) {
    Reader head(text);
    const std::uint32_t length = head.u32();
    const std::uint32_t complement = head.u32();
    const std::uint64_t sum = head.u64();
    if (!head.ok()) {
      return true;  // cut off
    }
    if (length < 1 || length > kMaxEntryBytes || complement != ~length) {
      // Room that a crash left without its bytes is a cut, too.
      return text.find_first_not_of('\0') == std::string_view::npos;
    }
    const ConstBytes payload = head.take(length);
    if (!head.ok()) {
      return true;  // cut off
    }
    const bool last = head.left() == 0;
    if (digest::xxh3_64(payload, length) != sum) {
      return last;  // the blocks of the last write came to the disk in another order
    }
    const auto kind = static_cast<std::uint8_t>(payload[0]);
    Result<RecoveryRecord> record = decode_recovery_record(payload.subspan(1));
    if (!record || kind > 1) {
      return false;
    }
    out.push_back({.erase = kind == 1, .record = std::move(*record)});
    text.remove_prefix(text.size() - head.left());
  }
  return true;
}

void FileRecoveryStore::take(RecoveryChange change) {
  Key key{change.record.sessions, change.record.owner};
  const auto it = x_records.find(key);
  if (it != x_records.end()) {
    x_live_bytes -= entry_of({.erase = false, .record = it->second}).size();
    x_records.erase(it);
  }
  if (!change.erase) {
    x_live_bytes += entry_of(change).size();
    x_records.emplace(std::move(key), std::move(change.record));
  }
}

Result<void> FileRecoveryStore::append(const std::vector<RecoveryChange>& changes) {
  std::string bytes;
  for (const RecoveryChange& change : changes) {
    bytes += entry_of(change);
    take(change);
  }
  // The records in memory are ahead of the file until it is written; a failure leaves them so, and
  // the rewrite of the next call, which asks for the same changes again, writes them all.
  if (x_fd < 0 || x_bytes + bytes.size() > 2 * x_live_bytes + kMinRewriteBytes) {
    return rewrite();
  }
  const Result<void> written = write_all(x_fd, bytes);
  if (!written || ::fdatasync(x_fd) != 0) {
    const Error error = written ? last_error("sync") : written.error();
    close();
    return fail(error);
  }
  x_bytes += bytes.size();
  return ok();
}

Result<void> FileRecoveryStore::rewrite() {
  close();
  std::string bytes(kMagic);
  for (const auto& [key, record] : x_records) {
    bytes += entry_of({.erase = false, .record = record});
  }
  std::filesystem::path fresh = x_file;
  fresh += ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(last_error("open"));
  }
  Result<void> done = write_all(fd, bytes);
  if (done && ::fsync(fd) != 0) {
    done = fail(last_error("sync"));
  }
  if (done && ::rename(fresh.c_str(), x_file.c_str()) != 0) {
    done = fail(last_error("rename"));
  }
  if (done) {
    done = sync_directory_of(x_file);
  }
  if (!done) {
    ::close(fd);
    return done;
  }
  x_fd = fd;  // at its end: what follows is appended
  x_bytes = bytes.size();
  return ok();
}

}  // namespace outcrop::nfs
