#include "tools/selftest/nfs_checks.h"

#include <fmt/format.h>

#include "tools/bench/nfs/nfs_lane.h"
#include "tools/selftest/sample.h"

namespace outcrop::selftest {
namespace {

constexpr double kConnectSeconds = 10;
constexpr std::uint32_t kTransfer = 256 << 10;
constexpr unsigned kLane = 0, kClientNumber = 0x5e1f;

constexpr std::array<std::size_t, 3> kSizes{100, 50'000, 900'000};  ///< of what S3 writes
std::string name_of(std::size_t size) { return fmt::format("s3-{}", size); }

/// An error of the NFS client in words.
template <class T>
Result<T> said(std::string_view what, Result<T> result) {
  if (result) {
    return result;
  }
  return fail(Errc::conflict, fmt::format("{}: expected success, got {}", what,
                                          bench::describe_nfs(result.error())));
}

Buffer buffer_of(std::string_view bytes) {
  const Buffer out = Buffer::make(bytes.size());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

std::string NfsChecks::key(std::string_view name) const {
  return x_place.prefix + x_folder + "/" + std::string(name);
}

Async<> NfsChecks::run(Checklist& list, Executor executor) {
  const bool made =
      co_await list.run("NFS: mount " + x_place.path + ", make a folder", make_folder(executor));
  if (made) {
    co_await list.run("NFS: what S3 writes is read at once", from_s3());
    co_await list.run("NFS: what is written is an object at once", to_s3());
    co_await list.run("NFS: what is removed is gone on both sides", removals());
  }
  co_await close();
}

Task<> NfsChecks::open(Executor executor) {
  CO_TRY(x_target, bench::RpcTarget::make(x_place.host, x_place.port));
  x_target.uid = x_target.gid = x_place.uid;
  x_target.timeout_s = kConnectSeconds;
  bench::NfsHandle mount;
  if (!x_place.session) {
    CO_TRY(mount, said("MOUNT", bench::mount3(x_target, x_place.path)));
  }
  auto channel = std::make_unique<bench::RpcChannel>(x_target, executor);
  CO_TRYV(channel->open());
  x_channel = std::move(channel);
  x_stopper.on_stop([this] {
    if (x_channel) {
      x_channel->close();
    }
  });
  x_running = std::make_unique<TaskGroup>(executor);
  x_running->spawn(x_channel->run());
  x_client = x_place.session ? bench::make_client41(*x_channel, 1, kClientNumber)
                             : bench::make_client3(*x_channel, mount);
  CO_TRYV(said("the session", co_await x_client->start()));
  CO_TRY(x_root, said("LOOKUP " + x_place.path, co_await x_client->root(x_place.path)));
  co_return ok();
}

Async<> NfsChecks::close() {
  if (!x_channel) {
    co_return;
  }
  if (const auto ended = co_await x_client->stop(); !ended) {
    x_channel->close();  // the server lets the session go when its lease ends
  }
  x_channel->close();
  static_cast<void>(co_await x_running->join());
  x_client.reset();
  x_running.reset();
  x_channel.reset();
}

Task<> NfsChecks::make_folder(Executor executor) {
  CO_TRYV(co_await open(executor));
  CO_TRY(x_directory, said("MKDIR", co_await x_client->make_directory(kLane, x_root, x_folder)));
  x_made = true;
  co_return ok();
}

Task<> NfsChecks::expect_file(std::string name, std::string_view body) {
  CO_TRY(const bench::NfsHandle file,
         said("LOOKUP " + name, co_await x_client->lookup(kLane, x_directory, name)));
  std::string got;
  for (bool more = true; more;) {
    CO_TRY(const std::uint64_t n,
           said("READ " + name, co_await x_client->read(kLane, file, got.size(), kTransfer, &got)));
    more = n > 0 && got.size() <= body.size();
  }
  co_return expect_equal("bytes of READ " + name, body, got);
}

Task<> NfsChecks::from_s3() {
  for (const std::size_t size : kSizes) {
    const std::string name = name_of(size);
    CO_TRYV(co_await x_s3.put(key(name), sample(size)));
    CO_TRYV(co_await expect_file(name, sample(size)));
    CO_TRYV(co_await x_s3.put(key(name), sample(size + 1)));
    CO_TRYV(co_await expect_file(name, sample(size + 1)));
  }
  co_return ok();
}

Task<> NfsChecks::to_s3() {
  const std::string body = sample(2 * kTransfer);
  for (const bool stable : {true, false}) {
    const std::string name = stable ? "stable" : "unstable";
    CO_TRY(const bench::NfsHandle file,
           said("CREATE " + name, co_await x_client->create(kLane, x_directory, name)));
    for (std::size_t at = 0; at < body.size(); at += kTransfer) {
      CO_TRYV(said(
          "WRITE " + name,
          co_await x_client->write(
              kLane, file, at, buffer_of(std::string_view(body).substr(at, kTransfer)), stable)));
    }
    CO_TRYV(co_await x_s3.expect_object(key(name), body));  // also before COMMIT
    CO_TRYV(said("COMMIT " + name, co_await x_client->commit(kLane, file)));
    CO_TRYV(co_await x_s3.expect_object(key(name), body));
  }
  co_return ok();
}

Task<> NfsChecks::removals() {
  CO_TRYV(said("REMOVE", co_await x_client->remove(kLane, x_directory, "stable", false)));
  CO_TRYV(co_await x_s3.expect_gone(key("stable")));
  CO_TRYV(co_await x_s3.remove(key("unstable")));
  const auto found = co_await x_client->lookup(kLane, x_directory, "unstable");
  if (found || found.error().code() != Errc::not_found) {
    co_return differs("LOOKUP of what S3 removed", "not found",
                      found ? "a file" : bench::describe_nfs(found.error()));
  }
  co_return ok();
}

Task<> NfsChecks::remove_if_there(const bench::NfsHandle& in,
                                  std::string_view name,
                                  bool directory) {
  auto removed = co_await x_client->remove(kLane, in, name, directory);
  if (!removed && removed.error().code() == Errc::not_found) {
    co_return ok();
  }
  co_return said("REMOVE " + std::string(name), std::move(removed));
}

Task<> NfsChecks::remove_folder() {
  CO_TRY(x_directory,
         said("LOOKUP " + x_folder, co_await x_client->lookup(kLane, x_root, x_folder)));
  for (const std::string_view name : {"stable", "unstable"}) {
    CO_TRYV(co_await remove_if_there(x_directory, name, false));
  }
  for (const std::size_t size : kSizes) {
    CO_TRYV(co_await remove_if_there(x_directory, name_of(size), false));
  }
  co_return co_await remove_if_there(x_root, x_folder, true);
}

Task<> NfsChecks::clean_up(Executor executor) {
  CO_TRYV(co_await open(executor));
  auto removed = co_await remove_folder();
  co_await close();
  co_return removed;
}

}  // namespace outcrop::selftest
