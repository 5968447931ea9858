// Where drives were last seen, by uuid, and which of them were added at run time: STATE_DIR/
// drives.json. What was added counts beside storage.drives at the next start; the rest is there so
// that a drive that is missing has a name that people know.
//
// One object, for any thread; blocking. What is on record is durable when a call returns, and after
// an error it is what it was.
#pragma once
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::server {

class DriveList {
 public:
  struct Drive {
    std::string path, uuid;  ///< no uuid: it was to be added, and nobody saw it join
    bool added = false;      ///< at run time: storage.drives does not name it
    std::string replaces{};  ///< of one that was to be added: the uuid of the other
    bool operator==(const Drive&) const = default;
  };

  /// `configured`: storage.drives, normal_folder() of each.
  DriveList(const std::filesystem::path& state_dir, std::vector<std::string> configured)
      : x_file(state_dir / "drives.json"), x_configured(std::move(configured)) {}

  /// Reads the file, once, before everything else. Errors: config.
  Result<void> load();
  /// storage.drives and what was added, each once.
  std::vector<std::string> paths() const;
  /// Empty: not known.
  std::string last_path(std::string_view uuid) const;

  /// What was promised of the drive at this path: whom it replaces. Empty: nobody.
  std::string replaces(std::string_view path) const;

  /// Before a drive joins: a start that does not list one that holds data runs without it. Whether
  /// it was not on the list before; only then is withdraw() right if it does not join.
  /// `replaces`: the uuid of the drive in place of which it comes, if of any.
  Result<bool> promise(const std::string& path, const std::string& replaces);
  Result<void> withdraw(const std::string& path);
  Result<void> joined(const std::string& path, const std::string& uuid);
  /// The drive is no member any more.
  Result<void> forget(std::string_view uuid);
  /// After a start: all members, those that are missing with an empty path. What is no member is
  /// forgotten.
  Result<void> settle(const std::vector<Drive>& members);

 private:
  bool configured(std::string_view path) const;
  void put(std::vector<Drive>& drives, const std::string& path, const std::string& uuid) const;
  Result<void> save_locked(std::vector<Drive> next);

  const std::filesystem::path x_file;
  const std::vector<std::string> x_configured;
  mutable std::mutex x_mutex;
  std::vector<Drive> x_drives;
};

/// "/mnt/d5/" and "/mnt/./d5" are "/mnt/d5".
std::string normal_folder(std::string_view path);

}  // namespace outcrop::server
