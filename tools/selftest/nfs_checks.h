// That S3 and NFS show one tree: what one of them changed, the other one sees at once.
#pragma once
#include <memory>
#include <string>

#include "tools/bench/nfs/nfs_client.h"
#include "tools/selftest/s3_checks.h"

namespace outcrop::selftest {

/// Where one export of the server is.
struct NfsPlace {
  std::string host;
  unsigned port = 2049;
  std::string path;     ///< of the export
  std::string prefix;   ///< of the keys that lie in it: "" or "dir/"
  bool session = true;  ///< NFSv4.1; else NFSv3
  unsigned uid = 0;
};

/// One connection; everything happens in a new folder of the export.
class NfsChecks {
 public:
  /// `s3` works on the bucket of the export.
  NfsChecks(NfsPlace place, std::string folder, S3Checks& s3, Stopper& stopper)
      : x_place(std::move(place)), x_folder(std::move(folder)), x_s3(s3), x_stopper(stopper) {}

  /// What does not get a connection is one failed check, and the rest is skipped.
  Async<> run(Checklist& list, Executor executor);
  /// Whether the folder was made: then clean_up() has something to do, whatever happened since.
  bool made() const { return x_made; }
  /// Removes the folder and what is in it, over a new connection.
  Task<> clean_up(Executor executor);

 private:
  Task<> open(Executor executor);
  Async<> close();
  Task<> make_folder(Executor executor);
  Task<> from_s3();
  Task<> to_s3();
  Task<> removals();
  Task<> remove_folder();
  Task<> remove_if_there(const bench::NfsHandle& in, std::string_view name, bool directory);
  Task<> expect_file(std::string name, std::string_view body);
  std::string key(std::string_view name) const;

  const NfsPlace x_place;
  const std::string x_folder;
  S3Checks& x_s3;
  Stopper& x_stopper;
  bench::RpcTarget x_target;
  std::unique_ptr<bench::RpcChannel> x_channel;
  std::unique_ptr<TaskGroup> x_running;
  std::unique_ptr<bench::NfsClient> x_client;
  bench::NfsHandle x_root, x_directory;
  bool x_made = false;
};

}  // namespace outcrop::selftest
