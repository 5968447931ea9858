#include "server/drive_admin.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "storage/base/log.h"
#include "storage/engine/engine.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxPathBytes = 4096;

std::string_view state_of(const engine::DriveStatus& d) {
  if (!d.live) {
    return d.draining ? "replaced" : "missing";
  }
  return d.empty ? "drained" : d.draining ? "draining" : d.returning ? "returning" : "live";
}

json::object drive_to_json(const engine::DriveStatus& d, const DriveList& list) {
  return {{"slot", d.slot},
          {"path", d.path},
          {"last_path", d.path.empty() ? list.last_path(d.uuid) : d.path},
          {"uuid", d.uuid},
          {"state", state_of(d)},
          {"mirror", d.mirror},
          {"shards", d.shards},
          {"size_bytes", d.space.total_bytes},
          {"free_bytes", d.space.free_bytes},
          {"safe_to_pull", d.safe_to_pull},
          {"reason", d.absence.empty() ? d.reason : d.reason + "; " + d.absence}};
}

json::object repair_to_json(const engine::RepairStatus& r) {
  return {{"running", r.running},
          {"segments", r.segments},
          {"degraded", r.degraded},
          {"moving", r.moving},
          {"blocked", r.blocked},
          {"unreadable", r.unreadable},
          {"damaged", r.damaged},
          {"bytes_left", r.bytes_left},
          {"bytes_done", r.bytes_done},
          {"bytes_per_second", r.bytes_per_second},
          {"seconds_left", r.seconds_left ? json::value(*r.seconds_left) : json::value()},
          {"shards_moved", r.shards_moved},
          {"chunks_repaired", r.chunks_repaired}};
}

std::string_view name_of(engine::MoveState state) {
  switch (state) {
    case engine::MoveState::idle:
      return "idle";
    case engine::MoveState::waiting:
      return "waiting";
    case engine::MoveState::running:
      return "running";
    case engine::MoveState::no_room:
      return "no_room";
  }
  return "";
}

json::object move_to_json(const engine::MoveStatus& m) {
  return {{"state", name_of(m.state)},
          {"segments", m.segments},
          {"wait_seconds", m.wait_seconds},
          {"bytes_left", m.bytes_left},
          {"bytes_done", m.bytes_done},
          {"bytes_per_second", m.bytes_per_second},
          {"seconds_left", m.seconds_left ? json::value(*m.seconds_left) : json::value()}};
}

json::object rebalance_to_json(const engine::MoveStatus& m) {
  json::object out = move_to_json(m);
  out["shards"] = m.shards;
  return out;
}

/// An object with just these fields; invalid_argument otherwise.
Result<json::object> parse_object(const std::string& text,
                                  std::initializer_list<std::string_view> fields) {
  boost::system::error_code ec;
  json::value v = json::parse(text, ec);
  if (ec || !v.is_object()) {
    return fail(Errc::invalid_argument, "expected a JSON object");
  }
  for (const auto& [key, value] : v.get_object()) {
    if (std::ranges::find(fields, std::string_view(key)) == fields.end()) {
      return fail(Errc::invalid_argument, std::string(key) + ": unknown field");
    }
  }
  return std::move(v.get_object());
}

Result<std::unique_ptr<io::Disk>> open_newcomer(const std::string& path) {
  auto disk = io::open_posix_disk(path);
  if (!disk) {
    return fail(Errc::invalid_argument, path + ": " + disk.error().describe());
  }
  return disk;
}

bool has_drive(engine::Engine& engine, std::int64_t slot) {
  const std::vector<engine::DriveStatus> drives = engine.stats().drives;
  return std::ranges::any_of(drives,
                             [slot](const engine::DriveStatus& d) { return d.slot == slot; });
}

std::string uuid_in(const engine::EngineStats& stats, unsigned slot) {
  const auto it = std::ranges::find(stats.drives, slot, &engine::DriveStatus::slot);
  return it == stats.drives.end() ? std::string() : it->uuid;
}

/// An engine call on worker 0, for a caller on another one.
template <class T>
Task<T> on_worker_0(Runtime& runtime, Task<T> call) {
  co_return co_await asio::co_spawn(runtime.io(0).get_executor(), std::move(call), use_async);
}

}  // namespace

std::string drives_to_json(const engine::EngineStats& stats, const DriveList& list) {
  json::array drives;
  for (const engine::DriveStatus& d : stats.drives) {
    drives.emplace_back(drive_to_json(d, list));
  }
  const json::object out = {{"epoch", stats.epoch},
                            {"parity", stats.parity},
                            {"writable", stats.writable},
                            {"drives", std::move(drives)},
                            {"repair", repair_to_json(stats.repair)},
                            {"restripe", move_to_json(stats.restripe)},
                            {"rebalance", rebalance_to_json(stats.rebalance)},
                            {"scrub",
                             {{"period_seconds", stats.repair.scrub_period_seconds},
                              {"all_read_since", stats.repair.oldest_scrub}}}};
  return json::serialize(out) + "\n";
}

Result<engine::Engine*> DriveAdmin::open_engine() const {
  engine::Engine* const engine = x_engine();
  if (engine == nullptr) {
    return fail(Errc::unavailable, "the store is not open (starting or stopping)");
  }
  return engine;
}

Task<std::string> DriveAdmin::list() {
  CO_TRY(engine::Engine* const engine, open_engine());
  co_return co_await x_runtime.pool().run(
      [this, engine] { return Result<std::string>(drives_to_json(engine->stats(), x_list)); });
}

// On the list before it is used: a start that does not list a drive that holds data runs without
// it. What was listed before stays so: a drive that is in use is refused, and is still one of them.
Task<unsigned> DriveAdmin::join(engine::Engine& engine,
                                const std::string& path,
                                std::optional<unsigned> replaces) {
  CO_TRY(std::unique_ptr<io::Disk> disk,
         co_await x_runtime.pool().run([&path] { return open_newcomer(path); }));
  CO_TRY(const bool listed, co_await x_runtime.pool().run([&] {
    return x_list.promise(path, replaces ? uuid_in(engine.stats(), *replaces) : std::string());
  }));
  auto slot = co_await on_worker_0(x_runtime, engine.add_drive(std::move(disk), replaces));
  if (!slot) {
    if (listed) {
      CO_TRYV(co_await x_runtime.pool().run([&] { return x_list.withdraw(path); }));
    }
    co_return fail(slot.error());
  }
  auto noted = co_await x_runtime.pool().run(
      [&] { return x_list.joined(path, uuid_in(engine.stats(), *slot)); });
  if (!noted) {
    // It is in use, and its path is on the list: the next start notes the rest.
    log::warn("the uuid of a new drive is not noted down",
              {{"drive", path}, {"error", noted.error().describe()}});
  }
  co_return *slot;
}

// {"path": "/mnt/d7", "replaces": 3}
Task<std::string> DriveAdmin::add(std::string text) {
  CO_TRY(engine::Engine* const engine, open_engine());
  CO_TRY(const json::object wanted, parse_object(text, {"path", "replaces"}));
  const json::value* const path = wanted.if_contains("path");
  const json::value* const replaces = wanted.if_contains("replaces");
  if (path == nullptr || !path->is_string() || path->get_string().size() > kMaxPathBytes ||
      !std::filesystem::path(std::string(path->get_string())).is_absolute()) {
    co_return fail(Errc::invalid_argument, "path: expected the absolute path of the new drive");
  }
  if (replaces != nullptr &&
      (!replaces->is_int64() || replaces->get_int64() < 0 || replaces->get_int64() >= UINT8_MAX)) {
    co_return fail(Errc::invalid_argument, "replaces: expected the slot of a drive");
  }
  if (replaces != nullptr && !has_drive(*engine, replaces->get_int64())) {
    co_return fail(Errc::not_found, "replaces: there is no drive in that slot");
  }
  const std::string where = normal_folder(std::string_view(path->get_string()));
  std::optional<unsigned> old;
  if (replaces != nullptr) {
    old = static_cast<unsigned>(replaces->get_int64());
  }
  CO_TRY(const unsigned slot, co_await join(*engine, where, old));
  co_return json::serialize(json::object{{"slot", slot}, {"path", where}}) + "\n";
}

// {"draining": true}
Task<std::string> DriveAdmin::change(unsigned slot, std::string text) {
  CO_TRY(engine::Engine* const engine, open_engine());
  CO_TRY(const json::object wanted, parse_object(text, {"draining"}));
  const json::value* const draining = wanted.if_contains("draining");
  if (draining == nullptr || !draining->is_bool()) {
    co_return fail(Errc::invalid_argument, "draining: expected true or false");
  }
  CO_TRYV(co_await on_worker_0(x_runtime, engine->drain_drive(slot, draining->get_bool())));
  co_return json::serialize(json::object{{"slot", slot}, {"draining", draining->get_bool()}}) +
      "\n";
}

// The engine says by uuid what it forgets, this or of itself: x_list hears of it there.
Task<> DriveAdmin::remove(unsigned slot) {
  CO_TRY(engine::Engine* const engine, open_engine());
  co_return co_await on_worker_0(x_runtime, engine->remove_drive(slot));
}

admin::DriveSource DriveAdmin::source() {
  return {
      .list = [this] { return list(); },
      .add = [this](std::string text) { return add(std::move(text)); },
      .change = [this](unsigned slot, std::string text) { return change(slot, std::move(text)); },
      .remove = [this](unsigned slot) { return remove(slot); }};
}

}  // namespace outcrop::server
