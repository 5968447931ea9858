#include "tests/support/sim_engine.h"

#include <gtest/gtest.h>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::test {

using namespace ns;

std::string pattern(std::uint64_t seed, std::size_t size) {
  SeededRandom random(seed * 0x9e3779b97f4a7c15ULL + size);
  std::string out(size, '\0');
  random.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

namespace {

constexpr std::string_view kEnvelope = "an envelope";

DataKey sim_key() {
  SeededRandom random(17);
  return DataKey::make(random);
}

ObjectAttributes attributes_of(bool sealed) {
  ObjectAttributes out;
  out.envelope = sealed ? kEnvelope : std::string_view();
  return out;
}

WriteOptions options_of(bool sealed, std::uint32_t part) {
  return {.seal = sealed ? std::optional(sim_key()) : std::nullopt, .part = part};
}

}  // namespace

Task<std::unique_ptr<ObjectWriter>> filled_writer(Namespace& ns,
                                                  std::string_view bucket,
                                                  std::string_view key,
                                                  std::string_view content,
                                                  WriteOptions how) {
  how.size_hint = content.size();
  CO_TRY(auto writer, co_await ns.open_write(bucket, key, how));
  while (!content.empty()) {
    CO_TRY(const MutBytes out, co_await writer->buffer());
    const std::size_t n = std::min(out.size(), content.size());
    std::memcpy(out.data(), content.data(), n);
    CO_TRYV(co_await writer->advance(n));
    content.remove_prefix(n);
  }
  co_return writer;
}

Task<std::string> read_all(Namespace& ns,
                           std::string_view bucket,
                           std::string_view key,
                           std::string_view version_id) {
  CO_TRY(const auto reader, co_await ns.open_read(bucket, key, version_id));
  if (!reader->info().attributes.envelope.empty()) {
    reader->unseal(sim_key());
  }
  std::string out;
  for (;;) {
    CO_TRY(const auto slices, co_await reader->next());
    if (slices.empty()) {
      break;
    }
    for (const Buffer& slice : slices) {
      out.append(as_text(slice.view()));
    }
  }
  if (out.size() != reader->info().size) {
    co_return fail(Errc::corrupt, "short read");
  }
  co_return out;
}

namespace {

std::string md5_hex(std::string_view content) {
  digest::Digest md5(digest::Algorithm::md5);
  md5.update(as_bytes(content));
  return digest::to_hex(as_bytes(md5.value()));
}

Task<> put_object(Namespace& ns, std::string_view key, std::string_view content, bool sealed) {
  CO_TRY(auto writer,
         co_await filled_writer(ns, SimEngine::kBucket, key, content, options_of(sealed, 0)));
  PutRequest request;
  request.attributes = attributes_of(sealed);
  request.etag = md5_hex(content);
  CO_TRYV(co_await ns.put(SimEngine::kBucket, key, std::move(writer), std::move(request)));
  co_return ok();
}

Task<> put_multipart(Namespace& ns,
                     std::string_view key,
                     const std::vector<std::string>& parts,
                     bool sealed) {
  CO_TRY(const UploadInfo upload,
         co_await ns.create_upload(SimEngine::kBucket, key, attributes_of(sealed),
                                   digest::Algorithm::none, digest::ChecksumType::full_object));
  CompleteRequest complete;
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    CO_TRY(auto writer, co_await filled_writer(ns, SimEngine::kBucket, key, parts[i],
                                               options_of(sealed, i + 1)));
    CO_TRY(const PartInfo part,
           co_await ns.put_part(SimEngine::kBucket, key, upload.upload_id, i + 1, std::move(writer),
                                md5_hex(parts[i]), {}));
    complete.parts.push_back({i + 1, part.etag, {}});
  }
  CO_TRYV(
      co_await ns.complete_upload(SimEngine::kBucket, key, upload.upload_id, std::move(complete)));
  co_return ok();
}

// Of a bucket with versions, what is not current: as "key#1" for the newest, and so on.
Task<> read_versions(Namespace& ns, std::map<std::string, std::string>& out) {
  VersionListRequest request;
  std::string key;
  for (std::size_t n = 0;;) {
    CO_TRY(const VersionPage page, co_await ns.list_versions(SimEngine::kBucket, request));
    for (const VersionEntry& v : page.entries) {
      n = v.entry.key == key ? n : 0;
      key = v.entry.key;
      if (v.latest && !v.marker) {
        continue;
      }
      std::string content = "(delete marker)";
      if (!v.marker) {
        CO_TRY(content, co_await read_all(ns, SimEngine::kBucket, key, v.version_id));
      }
      out[key + "#" + std::to_string(++n)] = std::move(content);
    }
    if (!page.truncated) {
      co_return ok();
    }
    request.key_marker = page.entries.back().entry.key;
    request.version_marker = page.next_version_marker;
  }
}

Task<std::map<std::string, std::string>> read_everything(Namespace& ns) {
  std::map<std::string, std::string> out;
  CO_TRYV(co_await read_versions(ns, out));
  ListRequest request;
  for (bool more = true; more;) {
    CO_TRY(const ListPage page, co_await ns.list(SimEngine::kBucket, request));
    for (const ListEntry& entry : page.entries) {
      CO_TRY(out[entry.key], co_await read_all(ns, SimEngine::kBucket, entry.key));
      request.start_after = entry.key;
    }
    more = page.truncated;
  }
  co_return out;
}

}  // namespace

SimEngine::SimEngine(io::SimWorld& world,
                     std::uint64_t seed,
                     io::Disk* state_dir,
                     std::shared_ptr<io::FaultPlan> plan)
    : x_world(world),
      x_state_dir(state_dir),
      x_plan(std::move(plan)),
      x_random(seed),
      x_backend(world.make_backend(x_io)) {
  if (x_plan) {
    x_backend = io::make_faulty(std::move(x_backend), x_io);
  }
}

Result<std::unique_ptr<io::Disk>> SimEngine::open_disk(unsigned drive) {
  TRY(auto disk, x_world.open_disk(drive));
  return x_plan ? io::make_faulty(std::move(disk), drive, x_plan) : std::move(disk);
}

std::vector<std::unique_ptr<io::Disk>> SimEngine::look(const std::vector<std::string>& in_use) {
  std::vector<std::unique_ptr<io::Disk>> disks;
  for (unsigned drive = 0; drive < x_world.drives(); ++drive) {
    auto disk = open_disk(drive);
    if (disk && std::ranges::find(in_use, (*disk)->name()) == in_use.end()) {
      disks.push_back(std::move(*disk));
    }
  }
  return disks;
}

// Dropped without close(): the process is killed. Its last breath must not reach the drives.
SimEngine::~SimEngine() {
  if (x_engine) {
    x_world.crash_now();
    [[maybe_unused]] const auto closed = close();
  }
}

Result<void> SimEngine::open(bool read_only) {
  engine::EngineConfig config;
  config.read_only = read_only;
  config.segment_bytes = 2 << 20;
  config.journal_bytes = 128 << 10;
  config.cache_bytes = 4 << 20;
  config.payload_cache_bytes = 0;  // what is read must be on the drives
  config.min_part_bytes = 64 << 10;
  config.background = false;
  config.return_wait_ns = 0;
  engine::EngineRuntime runtime{
      x_clock,
      x_random,
      x_pool,
      {&x_io},
      {x_backend.get()},
      x_state_dir,
      [this](const std::string& uuid) {
        x_forgotten.push_back(uuid);
        return ok();
      },
      [this](const std::vector<std::string>& in_use) { return look(in_use); },
      {},
      {},
      [this](const std::string&) { x_restart_asked = true; },
      x_floor};
  std::vector<std::unique_ptr<io::Disk>> disks;
  for (unsigned drive = 0; drive < x_world.drives(); ++drive) {
    if (auto disk = open_disk(drive)) {
      disks.push_back(std::move(*disk));
    }
  }
  TRY(x_engine, run(engine::Engine::open(std::move(disks), config, std::move(runtime))));
  return ok();
}

Result<void> SimEngine::close() {
  const auto closed = run(x_engine->close());
  x_engine.reset();
  return closed;
}

namespace {

Task<> judge_once(engine::Engine& engine) {
  CO_TRYV(co_await engine.judge_drives());
  co_return co_await engine.eject_given_up();
}

}  // namespace

void SimEngine::judge_drives() {
  x_judge.expires_after(std::chrono::milliseconds(1));
  x_judge.async_wait([this](const boost::system::error_code& error) {
    if (error || !x_engine) {
      return;
    }
    asio::co_spawn(x_io.get_executor(), judge_once(*x_engine),
                   [this](std::exception_ptr thrown, const Result<void>& judged) {
                     EXPECT_FALSE(thrown);
                     EXPECT_TRUE(judged) << judged.error().describe();
                     judge_drives();
                   });
  });
}

Result<void> SimEngine::put(std::string_view key, std::string_view content, bool sealed) {
  return run(put_object(ns(), key, content, sealed));
}
Result<std::string> SimEngine::get(std::string_view key) {
  return run(read_all(ns(), kBucket, key));
}
Result<void> SimEngine::remove(std::string_view key) {
  TRYV(run(ns().remove(kBucket, key, {})));
  return ok();
}
Result<void> SimEngine::copy(std::string_view from, std::string_view to) {
  CopyRequest request;
  request.source_bucket = kBucket;
  request.source_key = from;
  TRYV(run(ns().copy(kBucket, to, std::move(request))));
  return ok();
}
Result<void> SimEngine::multipart(std::string_view key,
                                  const std::vector<std::string>& parts,
                                  bool sealed) {
  return run(put_multipart(ns(), key, parts, sealed));
}
Result<std::map<std::string, std::string>> SimEngine::everything() {
  return run(read_everything(ns()));
}

io::SimWorld world_with_bucket(unsigned drives, unsigned parity, std::uint64_t seed) {
  io::SimWorld world(drives, seed);
  SeededRandom random(seed);
  EXPECT_TRUE(engine::Engine::format(world.open_disks(), parity, random));
  world.reboot(seed);
  {
    SimEngine engine(world, seed);
    const auto opened = engine.open();
    EXPECT_TRUE(opened) << opened.error().describe();
    EXPECT_TRUE(engine.run(engine.ns().create_bucket(SimEngine::kBucket, "")));
    EXPECT_TRUE(engine.close());
  }
  world.reboot(seed);
  return world;
}

}  // namespace outcrop::test
