#include "tools/fsck/run.h"

#include <sys/statvfs.h>

#include <cstdlib>
#include <filesystem>

#include "server/drive_list.h"
#include "server/runtime.h"
#include "storage/check/fsck.h"
#include "storage/io/overlay_disk.h"

namespace outcrop::tools {
namespace {

namespace fs = std::filesystem;

/// Less is a full filesystem. The store must not notice: a mirror whose copy cannot be written
/// looks like one that is lost.
constexpr std::uint64_t kLeastFree = 16 << 20;

/// Where the scratch folder is to go, without symbolic links. It is on none of the drives: nothing
/// may be written to them.
Result<std::string> scratch_place(std::string wanted, const std::vector<std::string>& drives) {
  if (wanted.empty()) {
    const char* const configured = std::getenv("TMPDIR");
    wanted = configured != nullptr && *configured != '\0' ? configured : kDefaultScratch;
  }
  std::error_code ec;
  const fs::path inside = fs::canonical(wanted, ec);
  if (ec) {
    return fail(Errc::config, "--scratch: " + wanted + ": " + ec.message());
  }
  for (const std::string& drive : drives) {
    const fs::path outside = fs::canonical(drive, ec);
    const auto [end, at] =
        std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end());
    if (!ec && end == outside.end()) {
      return fail(Errc::config, "--scratch: " + wanted + " is on the drive " + drive +
                                    ": name a folder that is on none of them");
    }
  }
  return inside.string();
}

/// A new folder that goes with this.
class ScratchFolder {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make(const std::string& below) {
    std::string path = below + "/outcrop-fsck-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(Errc::config, "--scratch: no folder can be made in " + below + ": " +
                                    std::generic_category().message(errno));
    }
    return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(path)));
  }
  ~ScratchFolder() {
    std::error_code ec;
    fs::remove_all(x_path, ec);
  }
  ScratchFolder(const ScratchFolder&) = delete;

  Result<std::unique_ptr<io::Disk>> folder(const std::string& name) const {
    std::error_code ec;
    fs::create_directory(x_path + "/" + name, ec);
    return ec ? Result<std::unique_ptr<io::Disk>>(
                    fail(Errc::config, "--scratch: " + x_path + ": " + ec.message()))
              : io::open_posix_disk(x_path + "/" + name);
  }
  bool has_room() const {
    struct statvfs space{};
    return ::statvfs(x_path.c_str(), &space) != 0 || space.f_bavail * space.f_frsize >= kLeastFree;
  }

 private:
  explicit ScratchFolder(std::string path) : x_path(std::move(path)) {}
  const std::string x_path;
};

Result<std::unique_ptr<io::Disk>> overlay(const ScratchFolder& scratch,
                                          std::unique_ptr<io::Disk> base,
                                          const std::string& name) {
  TRY(auto upper, scratch.folder(name));
  return io::make_overlay_disk(std::move(base), std::move(upper));
}

/// Errors: what the user has to change first. All else that is wrong with a drive is for the
/// report.
Result<std::vector<check::DriveInput>> open_drives(const ScratchFolder& scratch,
                                                   const std::vector<std::string>& paths) {
  std::vector<check::DriveInput> out;
  for (const std::string& path : paths) {
    check::DriveInput drive{.path = path, .disk = nullptr, .why = {}};
    auto base = io::open_posix_disk(path);
    if (base) {
      TRY(drive.disk, overlay(scratch, *std::move(base), "drive" + std::to_string(out.size())));
    } else if (const int why = base.error().sys_errno(); why == EACCES || why == EPERM) {
      return fail(Errc::config, "drive " + check::quoted(path) + ": " + base.error().describe());
    } else if (base.error().code() != Errc::not_found) {
      drive.why = base.error().describe();
    }
    out.push_back(std::move(drive));
  }
  return out;
}

Result<std::unique_ptr<io::Disk>> open_witness(const ScratchFolder& scratch,
                                               const std::string& path) {
  auto base = io::open_posix_disk(path);
  return base ? overlay(scratch, *std::move(base), "state")
              : fail(Errc::config, "state_dir: " + path + ": " + base.error().describe());
}

}  // namespace

Result<void> fsck(const server::Config& config, FsckOptions options, check::Report& report) {
  server::Runtime::raise_descriptor_limit();
  server::DriveList list(config.state_dir, config.drives);
  TRYV(list.load());
  const std::vector<std::string> paths = list.paths();
  TRY(const std::string place, scratch_place(options.scratch, paths));
  TRY(const auto scratch, ScratchFolder::make(place));
  check::FsckInput input;
  TRY(input.drives, open_drives(*scratch, paths));
  TRY(const auto witness, open_witness(*scratch, config.state_dir));
  TRY(const auto sorting, scratch->folder("sort"));
  asio::io_context io(1);
  TRY(const auto backend, io::make_backend(config.io, io));
  input.last_path = [&list](const std::string& uuid) { return list.last_path(uuid); };
  input.witness = witness.get();
  input.scratch = sorting.get();
  input.backend = backend.get();
  input.allow_reduced_redundancy = config.allow_reduced_redundancy;
  input.metadata_only = options.metadata_only;
  input.memory_bytes = options.memory_bytes;
  bool full = false;
  input.progress = [&](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    full = full || !scratch->has_room();
    return !full && (!options.progress || options.progress(phase, done, total));
  };
  const Result<void> done = run_on(io, check::run_fsck(std::move(input), report));
  full = full || (!done && done.error().code() == Errc::no_space);
  return full ? fail(Errc::config, "--scratch: " + place +
                                       " has no room left: name a folder on a larger filesystem")
              : done;
}

}  // namespace outcrop::tools
