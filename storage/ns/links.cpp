#include "storage/ns/links.h"

#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

Result<LinkName> parse_link(std::string_view rest, std::string_view value) {
  if (rest.size() < sizeof(InodeId)) {
    return fail(Errc::corrupt, "link key malformed");
  }
  TRY(const std::uint64_t cookie, decode_number(value));
  return LinkName{get_be64(rest), std::string(rest.substr(sizeof(InodeId))), cookie};
}

// Calls visit(key, value) for every record whose key starts with `prefix`.
template <class Visit>
Task<> each_below(Core& core, std::string prefix, bool keys_only, Visit visit) {
  meta::ScanRequest request{.lower = prefix, .upper = meta::prefix_end(prefix)};
  request.keys_only = keys_only;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await core.meta.scan(request));
    for (const auto& [key, value] : page.entries) {
      CO_TRYV(visit(std::string_view(key).substr(prefix.size()), std::string_view(value)));
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return ok();
}

}  // namespace

Task<std::vector<LinkName>> names_of(Core& core, const Object& object) {
  std::vector<LinkName> out;
  if (object.record.history) {
    co_return out;
  }
  if (object.record.links() <= 1) {
    if (object.record.links() == 1) {
      out.push_back(
          {object.record.parent, object.record.name, cookie_of(object.ino, object.record.moves)});
    }
    co_return out;
  }
  const auto visit = [&out](std::string_view rest, std::string_view value) -> Result<void> {
    TRY(LinkName link, parse_link(rest, value));
    out.push_back(std::move(link));
    return ok();
  };
  CO_TRYV(co_await each_below(core, link_prefix(object.ino), false, visit));
  co_return out;
}

Task<std::optional<std::uint64_t>> link_cookie(Core& core,
                                               InodeId ino,
                                               InodeId parent,
                                               std::string_view name) {
  CO_TRY(const auto value, co_await core.meta.get(link_key(ino, parent, name)));
  if (!value) {
    co_return std::nullopt;
  }
  CO_TRY(const std::uint64_t cookie, decode_number(*value));
  co_return cookie;
}

Task<std::optional<CookieRecord>> link_of_cookie(Core& core, std::uint64_t cookie) {
  CO_TRY(const auto value, co_await core.meta.get(cookie_key(cookie)));
  if (!value) {
    co_return std::nullopt;
  }
  CO_TRY(CookieRecord record, decode_cookie(*value));
  co_return record;
}

Task<std::vector<std::string>> xattr_names(Core& core, const Object& object) {
  std::vector<std::string> out;
  if (!object.record.posix || object.record.posix->xattr_bytes == 0) {
    co_return out;
  }
  const auto visit = [&out](std::string_view rest, std::string_view) -> Result<void> {
    out.emplace_back(rest);
    return ok();
  };
  CO_TRYV(co_await each_below(core, xattr_key(object.ino, {}), true, visit));
  co_return out;
}

Task<Leaving> plan_leaving(Core& core, ObjectPtr object, InodeId parent, std::string_view name) {
  Leaving out{.object = std::move(object), .parent = parent, .name = std::string(name)};
  const InodeRecord& record = out.object->record;
  out.cookie = cookie_of(out.object->ino, record.moves);
  if (record.links() > 1) {
    // Two are enough: one of them is not the one that goes.
    const std::string prefix = link_prefix(out.object->ino);
    CO_TRY(
        const meta::ScanPage page,
        co_await core.meta.scan({.lower = prefix, .upper = meta::prefix_end(prefix), .limit = 2}));
    for (const auto& [key, value] : page.entries) {
      CO_TRY(LinkName link, parse_link(std::string_view(key).substr(prefix.size()), value));
      if (link.parent != parent || link.name != name) {
        out.other = std::move(link);
      }
    }
    CO_TRY(const auto cookie, co_await link_cookie(core, out.object->ino, parent, name));
    if (!out.other || !cookie) {
      co_return fail(Errc::corrupt, "link records missing");
    }
    out.cookie = *cookie;
  } else {
    CO_TRY(out.xattrs, co_await xattr_names(core, *out.object));
  }
  co_return out;
}

Task<> put_summaries(Core& core, Transaction& tx, const Object& object) {
  CO_TRY(const auto names, co_await names_of(core, object));
  for (const LinkName& link : names) {
    tx.batch.put(dirent_key(link.parent, link.name), encode(dirent_of(object.ino, object.record)));
  }
  co_return ok();
}

}  // namespace outcrop::ns
