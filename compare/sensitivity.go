package compare

import (
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// SensitivityOfInit is how the ratio of the times to init moves with what is only estimated in the cost model. It is an
// approximation: what was counted is priced again, and nothing is run again. With other costs a guest's timer would tick
// more or less often. The model is the one by which both were charged.
func SensitivityOfInit(model cost.Model, r, base *record.Record) (cost.Sensitivity, error) {
	var none cost.Sensitivity
	switch {
	case r.CostModel != base.CostModel:
		return none, errors.New("the two were charged by different cost models")
	case r.CostModel != model.Name():
		return none, fmt.Errorf("they were charged by %s, and not by %s", r.CostModel, model.Name())
	case r.Costs.Init == nil || base.Costs.Init == nil:
		return none, errors.New("the records do not say what time went to until init")
	}
	over, err := r.Costs.Init.Tally()
	if err != nil {
		return none, err
	}
	under, err := base.Costs.Init.Tally()
	if err != nil {
		return none, err
	}
	return cost.SensitivityOfRatio(model, over, under)
}
