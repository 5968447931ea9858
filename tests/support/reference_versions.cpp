// The versions of the reference namespace.
#include <algorithm>

#include "tests/support/reference_conditions.h"
#include "tests/support/reference_namespace.h"

namespace outcrop::testing {

using ns::Versioning;

namespace {

Result<void> check_key(std::string_view key) {
  if (key.empty()) {
    return fail(Errc::invalid_argument, "empty key");
  }
  return key.size() > ns::kMaxKeyBytes ? fail(Errc::key_too_long) : ok();
}

}  // namespace

Task<> ReferenceNamespace::put_versioning(std::string_view name, Versioning state) {
  CO_TRY(Bucket* const in, bucket(name));
  if (in->info.lock.enabled && state != Versioning::enabled) {
    co_return fail(Errc::bucket_state);
  }
  in->info.versioning = state;
  co_return ok();
}

Task<> ReferenceNamespace::put_sealing(std::string_view name, bool sealing) {
  CO_TRY(Bucket* const in, bucket(name));
  in->info.sealing = sealing;
  co_return ok();
}

ns::VersionStamp ReferenceNamespace::supersede(Bucket& in, std::string_view key) {
  const auto at = in.objects.find(key);
  const Versioning state = in.info.versioning;
  if (state == Versioning::suspended) {
    if (const auto past = in.past.find(key); past != in.past.end()) {
      std::erase_if(past->second, [](const Past& p) { return p.object.stamp.null; });
      if (past->second.empty()) {
        in.past.erase(past);
      }
    }
  }
  if (at != in.objects.end()) {
    const bool replaced = state == Versioning::suspended && at->second.stamp.null;
    if (state != Versioning::off && !replaced) {
      auto& past = in.past[std::string(key)];
      past.insert(past.begin(),
                  Past{.object = std::move(at->second), .since_ns = x_clock.wall_ns()});
      past.front().object.info.attributes.lock.writing = false;
    }
    in.objects.erase(at);
  }
  return state == Versioning::off
             ? ns::VersionStamp{}
             : ns::VersionStamp{x_next_version++, state == Versioning::suspended};
}

ns::ObjectInfo ReferenceNamespace::install(Bucket& in, std::string_view key, Object fresh) {
  fresh.stamp = supersede(in, key);
  fresh.info.current = true;
  fresh.info.changed_ns = x_clock.wall_ns();
  fresh.info.version_id =
      in.info.versioning == Versioning::off ? std::string() : ns::version_text(fresh.stamp);
  return (in.objects[std::string(key)] = std::move(fresh)).info;
}

void ReferenceNamespace::mark_deleted(Bucket& in, std::string_view key, ns::Deletion& out) {
  const ns::VersionStamp stamp = supersede(in, key);
  if (in.info.versioning == Versioning::off) {
    return;
  }
  Past marker{.object = {}, .marker = true};
  marker.object.stamp = stamp;
  marker.object.info.mtime_ns = x_clock.wall_ns();
  auto& past = in.past[std::string(key)];
  past.insert(past.begin(), std::move(marker));
  out.marker = true;
  out.version_id = ns::version_text(stamp);
}

Result<ReferenceNamespace::Object> ReferenceNamespace::find_version(std::string_view name,
                                                                    std::string_view key,
                                                                    std::string_view version_id) {
  TRY(Bucket* const in, bucket(name));
  const auto id = ns::parse_version_id(version_id);
  if (!version_id.empty() && !id) {
    return fail(Errc::invalid_argument, "version id");
  }
  const bool versioned = in->info.versioning != Versioning::off;
  const auto at = in->objects.find(key);
  if (at != in->objects.end() && (!id || id->names(at->second.stamp))) {
    Object found = at->second;
    found.info.version_id = versioned ? ns::version_text(found.stamp) : std::string();
    return found;
  }
  if (!versioned) {
    return fail(id && at != in->objects.end() ? Errc::no_such_version : Errc::no_such_key);
  }
  const auto past = in->past.find(key);
  if (past == in->past.end()) {
    return fail(id ? Errc::no_such_version : Errc::no_such_key);
  }
  if (!id) {
    return fail(Errc::key_deleted, ns::version_text(past->second.front().object.stamp));
  }
  for (const Past& p : past->second) {
    if (id->names(p.object.stamp)) {
      if (p.marker) {
        return fail(Errc::delete_marker, ns::marker_detail(p.object.stamp, p.object.info.mtime_ns));
      }
      Object found = p.object;
      found.info.version_id = ns::version_text(found.stamp);
      found.info.current = false;
      return found;
    }
  }
  return fail(Errc::no_such_version);
}

Result<void> ReferenceNamespace::put_attributes(std::string_view name,
                                                std::string_view key,
                                                const Object& changed) {
  TRY(Bucket* const in, bucket(name));
  if (changed.info.current) {
    in->objects.find(key)->second.info.attributes = changed.info.attributes;
    return ok();
  }
  for (Past& p : in->past.find(key)->second) {
    if (!p.marker && p.object.stamp == changed.stamp) {
      p.object.info.attributes = changed.info.attributes;
    }
  }
  return ok();
}

Task<ns::ObjectInfo> ReferenceNamespace::set_tags(std::string_view name,
                                                  std::string_view key,
                                                  std::string_view version_id,
                                                  ns::StringPairs tags,
                                                  ns::ExpectedTags expected) {
  CO_TRYV(check_key(key));
  CO_TRY(Object found, find_version(name, key, version_id));
  if (expected && *expected != found.info.attributes.tags) {
    co_return fail(Errc::conflict);
  }
  found.info.attributes.tags = std::move(tags);
  CO_TRYV(put_attributes(name, key, found));
  co_return found.info;
}

Task<ns::ObjectInfo> ReferenceNamespace::set_acl(std::string_view name,
                                                 std::string_view key,
                                                 std::string_view version_id,
                                                 std::string acl,
                                                 std::optional<std::string> expected,
                                                 ns::ExpectedTags tags) {
  CO_TRYV(check_key(key));
  CO_TRY(Object found, find_version(name, key, version_id));
  if ((expected && *expected != found.info.attributes.acl) ||
      (tags && *tags != found.info.attributes.tags)) {
    co_return fail(Errc::conflict);
  }
  found.info.attributes.acl = std::move(acl);
  CO_TRYV(put_attributes(name, key, found));
  co_return found.info;
}

Result<ns::Deletion> ReferenceNamespace::erase_version(Bucket& in,
                                                       std::string_view key,
                                                       const ns::VersionId& id,
                                                       const ns::Conditions& conditions) {
  const auto at = in.objects.find(key);
  const auto past = in.past.find(key);
  ns::Deletion out;
  if (at != in.objects.end() && id.names(at->second.stamp)) {
    if (conditions.seen) {
      return fail(Errc::precondition_failed);
    }
    TRYV(check_write(conditions, &at->second.info));
    if (kept(at->second, conditions.bypass_governance)) {
      return fail(Errc::object_locked);
    }
    out = {.found = true, .version_id = ns::version_text(at->second.stamp)};
    in.objects.erase(at);
  } else {
    auto* const records = past == in.past.end() ? nullptr : &past->second;
    const auto found = records == nullptr ? std::vector<Past>::iterator{}
                                          : std::ranges::find_if(*records, [&](const Past& p) {
                                              return id.names(p.object.stamp);
                                            });
    if (records == nullptr || found == records->end()) {
      return out;
    }
    if (const auto& seen = conditions.seen) {
      const bool current = at == in.objects.end() && found == records->begin();
      const bool placed = seen->alone ? found->marker && current && records->size() == 1 : !current;
      if (!placed || seen->number != found->object.stamp.number ||
          seen->since_ns != found->since_ns) {
        return fail(Errc::precondition_failed);
      }
    }
    TRYV(check_write(conditions, found->marker ? nullptr : &found->object.info));
    if (!found->marker && kept(found->object, conditions.bypass_governance)) {
      return fail(Errc::object_locked);
    }
    out = {.found = true,
           .marker = found->marker,
           .version_id = ns::version_text(found->object.stamp)};
    records->erase(found);
  }
  if (past != in.past.end()) {
    // The newest that is left is current.
    if (!in.objects.contains(key) && !past->second.empty() && !past->second.front().marker) {
      in.objects[std::string(key)] = std::move(past->second.front().object);
      past->second.erase(past->second.begin());
    }
    if (past->second.empty()) {
      in.past.erase(past);
    }
  }
  return out;
}

Task<ns::Deletion> ReferenceNamespace::remove_version(std::string_view name,
                                                      std::string_view key,
                                                      std::string_view version_id,
                                                      ns::Conditions conditions) {
  CO_TRYV(check_key(key));
  CO_TRY(Bucket* const in, bucket(name));
  const auto id = ns::parse_version_id(version_id);
  if (!version_id.empty() && !id) {
    co_return fail(Errc::invalid_argument, "version id");
  }
  const bool versioned = in->info.versioning != Versioning::off;
  if (id && versioned) {
    co_return erase_version(*in, key, *id, conditions);
  }
  if (id && (id->number || conditions.seen)) {
    co_return ns::Deletion{};
  }
  const auto at = in->objects.find(key);
  CO_TRYV(check_write(conditions, at == in->objects.end() ? nullptr : &at->second.info));
  ns::Deletion out{.found = at != in->objects.end()};
  mark_deleted(*in, key, out);
  co_return out;
}

void ReferenceNamespace::forget_since(std::string_view name,
                                      std::string_view key,
                                      std::uint64_t number) {
  Bucket& in = *bucket(name).value();
  for (Past& p : in.past.find(key)->second) {
    if (p.object.stamp.number == number) {
      p.since_ns.reset();
    }
  }
}

Task<ns::VersionPage> ReferenceNamespace::list_versions(std::string_view name,
                                                        ns::VersionListRequest request) {
  CO_TRY(const Bucket* const in, bucket(name));
  std::map<std::string, std::vector<Past>> all(in->past.begin(), in->past.end());
  for (const auto& [key, object] : in->objects) {
    all[key].insert(all[key].begin(), Past{.object = object});
  }
  const auto marker = ns::parse_version_id(request.version_marker);
  if (!request.version_marker.empty() && !marker) {
    co_return fail(Errc::invalid_argument, "version id");
  }
  ns::VersionPage page;
  for (const auto& [key, records] : all) {
    if (!key.starts_with(request.prefix)) {
      continue;
    }
    const auto cut = request.delimiter.empty() ? std::string::npos
                                               : key.find(request.delimiter, request.prefix.size());
    const bool rolled = cut != std::string::npos;
    const std::string shown = rolled ? key.substr(0, cut + request.delimiter.size()) : key;
    const bool resumes = !rolled && shown == request.key_marker && marker;
    if (!request.key_marker.empty() && shown <= request.key_marker && !resumes) {
      continue;
    }
    if (rolled && !page.entries.empty() && page.entries.back().entry.is_prefix &&
        page.entries.back().entry.key == shown) {
      continue;
    }
    const auto behind = [&](const Past& p) {
      std::uint64_t number = 0;
      for (const Past& other : records) {
        number = marker->names(other.object.stamp) ? other.object.stamp.number : number;
      }
      return p.object.stamp.number < marker->number.value_or(number);
    };
    for (const Past& p : records) {
      if (resumes && !behind(p)) {
        continue;
      }
      if (page.entries.size() == request.max_keys) {
        page.truncated = request.max_keys > 0;
        co_return page;
      }
      const ns::ObjectInfo& info = p.object.info;
      ns::VersionEntry entry{.entry = {.key = shown, .is_prefix = rolled, .etag = {}}};
      page.next_version_marker.clear();
      if (!rolled) {
        entry.entry = {key,
                       false,
                       info.size,
                       info.mtime_ns,
                       info.etag,
                       info.checksum.algorithm,
                       info.checksum.type};
        entry.version_id = ns::version_text(p.object.stamp);
        entry.marker = p.marker;
        entry.latest = &p == &records.front();
        entry.number = p.object.stamp.number;
        entry.since_ns = p.since_ns;
        const ns::VersionStamp place{p.object.stamp.number, p.object.stamp.number == 0};
        page.next_version_marker = ns::version_text(place);
      }
      page.entries.push_back(std::move(entry));
      if (rolled) {
        break;
      }
    }
  }
  co_return page;
}

}  // namespace outcrop::testing
