/** Address management on a datastore: blocks, handles, affinities, tunnel addresses. */

export { Ipam } from "./ipam.ts";
