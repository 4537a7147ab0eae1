package balance

// HashKey returns the hash of a key, for Choice. It is the same in every process, so that all
// gateways send a key to the same endpoint.
func HashKey(key string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads the bits of h (the finalizer of MurmurHash3): FNV leaves similar texts similar.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
