package x86

// Exception vectors (SDM vol. 3, table 6-1; #VC: AMD APM vol. 2, table 8-1).
const (
	vectorDE = 0
	vectorDB = 1
	vectorBP = 3
	vectorOF = 4
	vectorBR = 5
	vectorUD = 6
	vectorNM = 7
	vectorDF = 8
	vectorTS = 10
	vectorNP = 11
	vectorSS = 12
	vectorGP = 13
	vectorPF = 14
	vectorMF = 16
	vectorAC = 17
	vectorMC = 18
	vectorXM = 19
	vectorVE = 20
	vectorVC = 29
)
