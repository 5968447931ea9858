#include "tests/fault/fault_rig.h"

#include <cstdlib>

namespace outcrop::test {
namespace {

// everything() calls what is not current "key#n".
std::string key_of(const std::string& name) { return name.substr(0, name.find('#')); }
bool is_version(const std::string& name) { return name.contains('#'); }
constexpr std::string_view kMarker = "(delete marker)";

}  // namespace

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t fault_stride(std::uint64_t otherwise) {
  return std::max<std::uint64_t>(1, number_in("OUTCROP_FAULT_STRIDE", otherwise));
}

void Expected::set(const std::string& key, Choice content, bool acked) {
  auto [at, fresh] = x_keys.try_emplace(key);
  if (content) {
    x_had[key].insert(*content);
  }
  if (x_keeping && acked && at->second.size() == 1 && at->second[0]) {
    x_kept[key].insert(*at->second[0]);
  }
  if (acked) {
    at->second.clear();
  } else if (fresh) {
    at->second.emplace_back();
  }
  at->second.push_back(std::move(content));
}

void Expected::put(const std::string& key, const std::string& content, bool acked) {
  set(key, content, acked);
}

void Expected::remove(const std::string& key, bool acked) { set(key, std::nullopt, acked); }

void Expected::move(const std::string& from, const std::string& to, bool acked) {
  put(to, certain(from), acked);
  remove(from, acked);
  if (!acked) {
    x_moves.push_back({from, to});
  }
}

const std::string& Expected::certain(const std::string& key) const {
  const auto& choices = x_keys.at(key);
  OUTCROP_ASSERT(choices.size() == 1 && choices[0].has_value());
  return *choices[0];
}

void Expected::never_gone(const std::string& key) {
  std::erase_if(x_keys[key], [](const Choice& c) { return !c.has_value(); });
}

void Expected::settle(const Contents& found) {
  x_moves.clear();
  for (auto& [key, choices] : x_keys) {
    const auto at = found.find(key);
    choices = {at == found.end() ? Choice() : Choice(at->second)};
  }
}

std::string Expected::judge(const Contents& found) const {
  for (const auto& [key, choices] : x_keys) {
    const auto at = found.find(key);
    const Choice there = at == found.end() ? Choice() : Choice(at->second);
    if (std::ranges::find(choices, there) == choices.end()) {
      std::string may;
      for (const Choice& choice : choices) {
        may += choice ? " " + std::to_string(choice->size()) : " none";
      }
      return key +
             (there ? " has content that it never had, of " + std::to_string(there->size())
                    : " is gone") +
             ", may have:" + may;
    }
  }
  for (const auto& [key, content] : found) {
    if (!is_version(key) && !x_keys.contains(key)) {
      return key + " was never there";
    }
  }
  for (const Move& move : x_moves) {
    if (found.contains(move.from) == found.contains(move.to)) {
      return move.from + " was moved to " + move.to + " by half";
    }
  }
  return judge_versions(found);
}

std::string Expected::judge_versions(const Contents& found) const {
  auto missing = x_kept;
  for (const auto& [name, content] : found) {
    if (!is_version(name)) {
      continue;
    }
    const std::string key = key_of(name);
    const auto had = x_had.find(key);
    if (content != kMarker && (had == x_had.end() || !had->second.contains(content))) {
      return name + " is a version that never was";
    }
    if (const auto kept = missing.find(key); kept != missing.end()) {
      kept->second.erase(content);
    }
  }
  for (const auto& [key, contents] : missing) {
    if (!contents.empty()) {
      return key + " lost a version of " + std::to_string(contents.begin()->size());
    }
  }
  return {};
}

void Client::put(const std::string& key, const std::string& content) {
  x_expected.put(key, content, x_engine.put(key, content).has_value());
}

void Client::multipart(const std::string& key, const std::vector<std::string>& parts) {
  std::string content;
  for (const std::string& part : parts) {
    content += part;
  }
  x_expected.put(key, content, x_engine.multipart(key, parts).has_value());
}

void Client::copy(const std::string& from, const std::string& to) {
  x_expected.put(to, x_expected.certain(from), x_engine.copy(from, to).has_value());
}

void Client::rename(const std::string& from, const std::string& to) {
  const auto renamed = x_engine.run(x_engine.ns().rename(SimEngine::kBucket, from, to));
  x_expected.move(from, to, renamed.has_value());
}

void Client::remove(const std::string& key) {
  x_expected.remove(key, x_engine.remove(key).has_value());
}

void Client::write(const std::string& key, std::uint64_t offset, const std::string& data) {
  const auto written = [&]() -> Result<void> {
    TRY(const ns::BucketInfo bucket, x_engine.run(x_engine.ns().get_bucket(SimEngine::kBucket)));
    TRY(const ns::ObjectInfo info, x_engine.run(x_engine.ns().stat(SimEngine::kBucket, key)));
    const ns::FileId id{bucket.root, info.ino};
    ns::FileSystem& files = x_engine.engine().files();
    TRYV(x_engine.run(files.write(id, offset, {Buffer::copy_of(as_bytes(data))}, false)));
    TRYV(x_engine.run(files.commit(id)));
    return ok();
  }();
  std::string content = x_expected.certain(key);
  content.resize(std::max<std::size_t>(content.size(), offset + data.size()));
  content.replace(offset, data.size(), data);
  x_expected.put(key, content, written.has_value());
}

void Client::enable_versions() {
  if (x_engine.run(x_engine.ns().put_versioning(SimEngine::kBucket, ns::Versioning::enabled))) {
    x_expected.keep_versions();
  }
}

void Client::read_all() {
  const auto found = x_engine.everything();
  if (!found) {
    x_problem = "cannot be read: " + found.error().describe();
  } else if (std::string wrong = x_expected.judge(*found); !wrong.empty()) {
    x_problem = std::move(wrong);
  }
}

void populate(Client& client) {
  client.put("inline", pattern(1, 100));
  for (unsigned i = 0; i < 6; ++i) {
    client.put("small/" + std::to_string(i), pattern(10 + i, 3'000 + i * 9'001));
  }
  client.put("striped", pattern(2, 300'000));
  client.put("gone", pattern(3, 260'000));
  client.multipart("parts", {pattern(4, 150'000), pattern(5, 7)});
  client.put("small/1", pattern(20, 12'345));
  client.remove("small/2");
  client.remove("gone");
  client.copy("striped", "copied");
}

std::string judge_world(io::SimWorld& world, const Expected& expected, std::uint64_t seed) {
  SimEngine engine(world, seed);
  if (const auto opened = engine.open(); !opened) {
    return "does not start: " + opened.error().describe();
  }
  const auto found = engine.everything();
  return found ? expected.judge(*found) : "cannot be read: " + found.error().describe();
}

std::string judge_without(const io::SimWorld& world,
                          const std::set<unsigned>& lost,
                          const Expected& expected,
                          std::uint64_t seed) {
  io::SimWorld less = world.clone(seed);
  less.reboot(seed);
  std::string which;
  for (const unsigned drive : lost) {
    less.remove_drive(drive);
    which += " " + std::to_string(drive);
  }
  const std::string wrong = judge_world(less, expected, seed);
  return wrong.empty() ? wrong : "without" + which + ": " + wrong;
}

bool is_live(SimEngine& engine, unsigned slot) {
  const auto drives = engine.engine().stats().drives;
  const auto at = std::ranges::find(drives, slot, &engine::DriveStatus::slot);
  return at != drives.end() && at->live;
}

}  // namespace outcrop::test
