/** The order in which Go's encoder writes the fields of a resource's outer objects. */

const metadataOrder = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
];

type Fields = Readonly<Record<string, unknown>>;

function inOrder(value: Fields, order: readonly string[]): Fields {
  const known = order.filter((key) => value[key] !== undefined && value[key] !== null);
  const rest = Object.keys(value).filter((key) => !order.includes(key));
  return Object.fromEntries([...known, ...rest].map((key) => [key, value[key]]));
}

/** A resource or a list kind; maps of labels and annotations are sorted, as Go sorts maps. */
export function goOrdered(value: Fields): Fields {
  const metadata = { ...(value.metadata as Fields | undefined) };
  for (const key of ["labels", "annotations"]) {
    if (metadata[key])
      metadata[key] = inOrder(metadata[key] as Fields, Object.keys(metadata[key]).sort());
  }
  const items = value.items as readonly Fields[] | undefined;
  return inOrder(
    {
      ...value,
      metadata: inOrder(metadata, metadataOrder),
      ...(items ? { items: items.map(goOrdered) } : {}),
    },
    ["kind", "apiVersion", "metadata", "spec", "status"],
  );
}
