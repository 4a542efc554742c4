// ReDoc draws its makers' logo, which it would fetch from their server. Here no image comes from elsewhere: an empty address
// is an image that failed, and then ReDoc leaves the logo out by itself.
(() => {
  const { prototype } = HTMLImageElement;
  const { setAttribute } = prototype;
  const property = Object.getOwnPropertyDescriptor(prototype, "src");
  const isOwn = (address) => address.startsWith("data:") || new URL(address, location.href).origin === location.origin;
  const own = (address) => (isOwn(String(address)) ? address : "");
  Object.defineProperty(prototype, "src", { ...property, set(value) { property.set.call(this, own(value)); } });
  prototype.setAttribute = function (name, value) {
    setAttribute.call(this, name, name.toLowerCase() === "src" ? own(value) : value);
  };
})();
