#include "tests/property/cross_driver.h"

#include "storage/ns/version_cursor.h"

namespace outcrop::test {
namespace {

template <class T>
void fill(Answer& out, Result<T> result) {
  if (!result) {
    // A deleted key is none: that it has versions is not for this model to know.
    const Errc code = result.error().code();
    out.error = code == Errc::key_deleted ? Errc::no_such_key : code;
    out.detail = result.error().detail();
  } else if constexpr (!std::is_void_v<T>) {
    out.value = *std::move(result);
  }
}

// What runs at the same time may put something in the way again, but not for ever.
constexpr int kTries = 4;

template <class T>
bool is_in_the_way(const Result<T>& renamed) {
  return !renamed && renamed.error().detail() == "the name has versions";
}

}  // namespace

CrossDriver::CrossDriver(const ns::NamespaceConfig& config, unsigned yield_one_in, bool versioned)
    : NamespaceFixture(config, yield_one_in, 48 << 10), x_config(config), x_versioned(versioned) {
  must(ns->create_bucket(kBucket, ""));
  if (versioned) {
    must(ns->put_versioning(kBucket, ns::Versioning::enabled));
  }
  root = must(fs().bucket_root(kBucket)).id;
}

Answer CrossDriver::perform(const Op& op) {
  Answer out;
  out.from_ns = clock.wall_ns();
  if (op.kind == OpKind::restart || op.kind == OpKind::crash) {
    if (op.kind == OpKind::restart) {
      fill(out, run(fs().flush_idle(INT64_MAX)));
    }
    start_again();
  } else {
    must(run_op(op, out));
  }
  out.to_ns = clock.wall_ns();
  return out;
}

std::pair<Answer, Answer> CrossDriver::perform_pair(const Op& a, const Op& b) {
  std::pair<Answer, Answer> out;
  out.first.from_ns = out.second.from_ns = clock.wall_ns();
  struct Both {
    static Task<> run(CrossDriver& driver, const Op& x, const Op& y, std::pair<Answer, Answer>& o) {
      TaskGroup group(co_await asio::this_coro::executor);
      group.spawn(driver.run_op(x, o.first));
      group.spawn(driver.run_op(y, o.second));
      co_return co_await group.join();
    }
  };
  must(Both::run(*this, a, b, out));
  out.first.to_ns = out.second.to_ns = clock.wall_ns();
  return out;
}

// Clients lose what they have open; requests under way are never answered.
void CrossDriver::start_again() {
  x_readers = {};
  x_holds = {};
  ns.reset();
  ns = ns::make_namespace(meta, blobs, clock, random, x_config);
  must(ns->open());
}

Task<> CrossDriver::run_op(const Op& op, Answer& out) {
  if (op.kind <= OpKind::check_reader) {
    co_return co_await run_key(op, out);
  }
  if (op.kind <= OpKind::abort) {
    co_return co_await run_upload(op, out);
  }
  if (op.kind <= OpKind::rename) {
    co_return co_await run_names(op, out);
  }
  if (op.kind <= OpKind::clone) {
    co_return co_await run_data(op, out);
  }
  if (op.kind <= OpKind::list_xattrs) {
    co_return co_await run_attributes(op, out);
  }
  co_return co_await run_open(op, out);
}

Task<> CrossDriver::run_key(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::put:
      fill(out, co_await put_task(std::string(kBucket), op.key, op.data,
                                  {.attributes = op.attributes,
                                   .etag = op.etag,
                                   .checksum = op.checksum,
                                   .conditions = op.conditions},
                                  op.length, 30'000));
      break;
    case OpKind::get:
      fill(out, co_await get(op));
      break;
    case OpKind::stat:
      fill(out, co_await ns->stat(kBucket, op.key));
      break;
    case OpKind::remove_key:
      fill(out, co_await ns->remove(kBucket, op.key, op.conditions));
      break;
    case OpKind::copy:
      fill(out, co_await ns->copy(kBucket, op.key2,
                                  {.source_bucket = std::string(kBucket),
                                   .source_key = op.key,
                                   .source_conditions = op.source_conditions,
                                   .conditions = op.conditions,
                                   .replace = op.replace}));
      break;
    case OpKind::rename_key:
      co_return co_await rename_key(op, out);
      break;
    case OpKind::list:
      fill(out, co_await ns->list(kBucket, op.list));
      break;
    case OpKind::open_reader: {
      auto reader = co_await ns->open_read(kBucket, op.key);
      if (reader) {
        out.value = (*reader)->info();
        x_readers[op.slot] = *std::move(reader);
      } else {
        fill(out, Result<ns::ObjectInfo>(fail(reader.error())));
      }
      break;
    }
    default:
      fill(out, co_await read_on(op.slot));
      break;
  }
  co_return ok();
}

Task<> CrossDriver::forget_versions(std::string directory) {
  CO_TRY(const ns::VersionPage page,
         co_await ns->list_versions(kBucket, {.prefix = directory, .max_keys = 1U << 30}));
  // The oldest first: what a marker hides must not come back.
  for (auto it = page.entries.rbegin(); it != page.entries.rend(); ++it) {
    if (it->marker || !it->latest) {
      CO_TRYV(co_await ns->remove_version(kBucket, it->entry.key, it->version_id, {}));
    }
  }
  co_return ok();
}

Task<bool> CrossDriver::has_versions_out_of_reach(std::string directory) {
  ns::VersionCursor cursor(meta, meta.snapshot(), root.root);
  CO_TRYV(co_await cursor.seek(directory));
  for (;;) {
    CO_TRY(const bool more, co_await cursor.next());
    if (!more || !cursor.path().starts_with(directory)) {
      co_return false;
    }
    if (cursor.at_directory()) {
      cursor.enter();
    } else if (cursor.path().size() > ns::kMaxKeyBytes) {
      co_return true;
    }
  }
}

// A directory cannot take a name with versions of other keys below it. The model knows none: they
// go first, and then nothing is in the way.
Task<> CrossDriver::rename_key(const Op& op, Answer& out) {
  auto renamed = co_await ns->rename(kBucket, op.key, op.key2);
  for (int tries = 0; x_versioned && tries < kTries && is_in_the_way(renamed); ++tries) {
    CO_TRYV(co_await forget_versions(op.key2));
    CO_TRY(out.refused, co_await has_versions_out_of_reach(op.key2));
    if (out.refused) {
      break;
    }
    renamed = co_await ns->rename(kBucket, op.key, op.key2);
  }
  fill(out, std::move(renamed));
  co_return ok();
}

Task<> CrossDriver::rename(const Op& op, Answer& out) {
  auto renamed = co_await fs().rename(op.file, op.name, op.other, op.name2);
  for (int tries = 0; x_versioned && tries < kTries && is_in_the_way(renamed); ++tries) {
    const auto path = co_await fs().path(op.other);
    if (!path) {
      break;
    }
    const std::string directory = *path + op.name2 + "/";
    CO_TRYV(co_await forget_versions(directory));
    CO_TRY(out.refused, co_await has_versions_out_of_reach(directory));
    if (out.refused) {
      break;
    }
    const auto marker = co_await ns->stat(kBucket, directory);
    if (marker) {
      // It is in the way, too. A file client takes the directory away, not S3, which would let
      // implicit directories above go with it.
      const auto removed = co_await fs().remove(op.other, op.name2, ns::RemoveKind::directory);
      out.prepared |= removed.has_value();
      CO_TRYV(co_await forget_versions(directory));
    }
    renamed = co_await fs().rename(op.file, op.name, op.other, op.name2);
  }
  fill(out, std::move(renamed));
  co_return ok();
}

Task<ReadObject> CrossDriver::get(const Op& op) {
  CO_TRY(const auto reader, co_await ns->open_read(kBucket, op.key));
  ReadObject out{.info = reader->info(), .data = {}};
  const std::uint64_t from = std::min(op.offset, out.info.size);
  CO_TRY(out.data, co_await read_range(*reader, {from, std::min(op.length, out.info.size - from)}));
  co_return out;
}

Task<ReadObject> CrossDriver::read_on(unsigned slot) {
  const auto reader = std::move(x_readers[slot]);
  ReadObject out{.info = reader->info(), .data = {}};
  CO_TRY(out.data, co_await read_range(*reader, {0, out.info.size}));
  co_return out;
}

Task<> CrossDriver::run_upload(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::create_upload:
      fill(out, co_await ns->create_upload(kBucket, op.key, op.attributes, {}, {}));
      break;
    case OpKind::put_part:
      fill(out, co_await put_part(op));
      break;
    case OpKind::copy_part:
      fill(out, co_await copy_part(op));
      break;
    case OpKind::complete:
      fill(
          out,
          co_await ns->complete_upload(
              kBucket, op.key, op.upload,
              {.parts = op.parts, .conditions = op.conditions, .object_size = {}, .checksum = {}}));
      break;
    default:
      fill(out, co_await ns->abort_upload(kBucket, op.key, op.upload));
      break;
  }
  co_return ok();
}

Task<ns::PartInfo> CrossDriver::put_part(const Op& op) {
  CO_TRY(auto writer, co_await ns->open_write(kBucket, op.key, op.data.size()));
  CO_TRYV(co_await write_all(*writer, op.data, 30'000));
  co_return co_await ns->put_part(kBucket, op.key, op.upload, op.number, std::move(writer), op.etag,
                                  {});
}

Task<ns::PartInfo> CrossDriver::copy_part(const Op& op) {
  CO_TRY(const auto reader, co_await ns->open_read(kBucket, op.key2));
  const std::uint64_t size = reader->info().size;
  const std::uint64_t from = std::min(op.offset, size);
  co_return co_await ns->copy_part(kBucket, op.key, op.upload, op.number, *reader,
                                   {from, std::min(op.length, size - from)}, "", {});
}

Task<> CrossDriver::run_names(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::lookup:
      fill(out, co_await fs().lookup(op.file, op.name));
      break;
    case OpKind::parent:
      fill(out, co_await fs().parent(op.file));
      break;
    case OpKind::read_directory:
      fill(out, co_await fs().read_directory(op.file, op.offset, op.length, 1 << 20));
      break;
    case OpKind::create:
      fill(out, co_await fs().create(op.file, op.name, op.create));
      break;
    case OpKind::mkdir:
      fill(out, co_await fs().make_directory(op.file, op.name, op.set));
      break;
    case OpKind::symlink:
      fill(out, co_await fs().make_symlink(op.file, op.name, op.name2, op.set));
      break;
    case OpKind::read_symlink:
      fill(out, co_await fs().read_symlink(op.file));
      break;
    case OpKind::link:
      fill(out, co_await fs().link(op.other, op.file, op.name));
      break;
    case OpKind::remove:
      fill(out, co_await fs().remove(op.file, op.name, op.how));
      break;
    default:
      co_return co_await rename(op, out);
      break;
  }
  co_return ok();
}

Task<> CrossDriver::run_data(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::read:
      fill(out, co_await fs().read(op.file, op.offset, op.length));
      break;
    case OpKind::write: {
      std::vector<Buffer> data;
      data.push_back(Buffer::copy_of(as_bytes(op.data)));
      fill(out, co_await fs().write(op.file, op.offset, std::move(data), op.flag));
      break;
    }
    case OpKind::commit:
      fill(out, co_await fs().commit(op.file));
      break;
    case OpKind::get_attributes:
      fill(out, co_await fs().get_attributes(op.file));
      break;
    case OpKind::set_attributes:
      fill(out, co_await fs().set_attributes(op.file, op.set, op.guard));
      break;
    case OpKind::allocate:
      fill(out, co_await fs().allocate(op.file, op.offset, op.length));
      break;
    case OpKind::deallocate:
      fill(out, co_await fs().deallocate(op.file, op.offset, op.length));
      break;
    case OpKind::seek:
      fill(out, co_await fs().seek(op.file, op.offset, op.flag));
      break;
    default:
      fill(out, co_await fs().clone(op.file, op.offset, op.other, op.offset2, op.length));
      break;
  }
  co_return ok();
}

Task<> CrossDriver::run_attributes(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::set_xattr:
      fill(out, co_await fs().set_xattr(op.file, op.name, op.name2, op.mode));
      break;
    case OpKind::get_xattr:
      fill(out, co_await fs().get_xattr(op.file, op.name));
      break;
    case OpKind::remove_xattr:
      fill(out, co_await fs().remove_xattr(op.file, op.name));
      break;
    default:
      fill(out, co_await fs().list_xattrs(op.file));
      break;
  }
  co_return ok();
}

Task<> CrossDriver::run_open(const Op& op, Answer& out) {
  switch (op.kind) {
    case OpKind::hold: {
      auto hold = co_await fs().hold(op.file);
      if (hold) {
        x_holds[op.slot] = *std::move(hold);
      } else {
        out.error = hold.error().code();
      }
      break;
    }
    case OpKind::release:
      x_holds[op.slot].reset();
      break;
    case OpKind::reap:
      fill(out, co_await fs().reap_orphans());
      break;
    case OpKind::flush:
      fill(out, co_await fs().flush_idle(INT64_MAX));
      break;
    default:
      fill(out, co_await fs().flush_idle(0));
      break;
  }
  co_return ok();
}

}  // namespace outcrop::test
