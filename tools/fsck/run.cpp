#include "tools/fsck/run.h"

#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>

#include "server/drive_list.h"
#include "storage/check/fsck.h"
#include "storage/io/overlay_disk.h"

namespace outcrop::tools {
namespace {

namespace fs = std::filesystem;

/// A new folder that goes with this.
class ScratchFolder {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make(std::string below) {
    if (below.empty()) {
      const char* const configured = std::getenv("TMPDIR");
      below = configured != nullptr && *configured != '\0' ? configured : "/tmp";
    }
    std::string path = below + "/outcrop-fsck-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(Errc::config, "--scratch: no folder can be made in " + below);
    }
    return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(path)));
  }
  ~ScratchFolder() {
    std::error_code ec;
    fs::remove_all(x_path, ec);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  const std::string& path() const { return x_path; }

  Result<std::unique_ptr<io::Disk>> folder(const std::string& name) const {
    std::error_code ec;
    fs::create_directory(x_path + "/" + name, ec);
    return ec ? Result<std::unique_ptr<io::Disk>>(
                    fail(Errc::config, "--scratch: " + x_path + ": " + ec.message()))
              : io::open_posix_disk(x_path + "/" + name);
  }

 private:
  explicit ScratchFolder(std::string path) : x_path(std::move(path)) {}
  const std::string x_path;
};

/// Nothing may be written to a drive, not even by way of the scratch directory.
Result<void> keep_apart(const std::string& scratch, const std::vector<std::string>& drives) {
  std::error_code ec;
  const fs::path inside = fs::canonical(scratch, ec);
  for (const std::string& drive : drives) {
    const fs::path outside = fs::canonical(drive, ec);
    const auto [end, at] =
        std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end());
    if (!ec && end == outside.end()) {
      return fail(Errc::config, "--scratch: " + scratch + " is on the drive " + drive +
                                    ": name a folder that is on none of them");
    }
    ec.clear();
  }
  return ok();
}

Result<std::unique_ptr<io::Disk>> overlay(const ScratchFolder& scratch,
                                          const std::string& path,
                                          const std::string& name) {
  TRY(auto base, io::open_posix_disk(path));
  TRY(auto upper, scratch.folder(name));
  return io::make_overlay_disk(std::move(base), std::move(upper));
}

io::BackendKind backend_kind(server::IoChoice choice) {
  return choice == server::IoChoice::threads ? io::BackendKind::threads
         : choice == server::IoChoice::uring ? io::BackendKind::uring
                                             : io::BackendKind::automatic;
}

void raise_descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

Result<void> fsck(const server::Config& config, FsckOptions options, check::Report& report) {
  raise_descriptors();
  server::DriveList list(config.state_dir, config.drives);
  TRYV(list.load());
  const std::vector<std::string> paths = list.paths();
  TRY(const auto scratch, ScratchFolder::make(options.scratch));
  TRYV(keep_apart(scratch->path(), paths));
  check::FsckInput input;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto disk = overlay(*scratch, paths[i], "drive" + std::to_string(i));
    std::error_code ec;
    if (!disk && fs::exists(paths[i], ec)) {
      return fail(disk.error().code(), paths[i] + ": " + disk.error().describe());
    }
    std::string why = disk ? "" : disk.error().describe();
    input.drives.push_back(
        {paths[i], disk ? *std::move(disk) : std::unique_ptr<io::Disk>(), std::move(why)});
  }
  TRY(const auto witness, overlay(*scratch, config.state_dir, "state"));
  TRY(const auto sorting, scratch->folder("sort"));
  asio::io_context io(1);
  TRY(const auto backend, io::make_backend(backend_kind(config.io), io));
  input.last_path = [&list](const std::string& uuid) { return list.last_path(uuid); };
  input.witness = witness.get();
  input.scratch = sorting.get();
  input.backend = backend.get();
  input.allow_reduced_redundancy = config.allow_reduced_redundancy;
  input.metadata_only = options.metadata_only;
  input.memory_bytes = options.memory_bytes;
  input.progress = std::move(options.progress);
  return run_on(io, check::run_fsck(std::move(input), report));
}

}  // namespace outcrop::tools
