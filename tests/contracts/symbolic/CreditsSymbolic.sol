// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../../contracts/interfaces/ICredits.sol";
import {IProgrammes} from "../../../contracts/interfaces/IProgrammes.sol";
import {CreditsFace} from "../Faces.sol";
import {Cheats} from "../Vm.sol";
import {Obliging} from "./Obliging.sol";

/// @title Proofs about credits, for all values at once (halmos)
/// @notice The contract starts in any state that its words can be in: written over with any value.
contract CreditsSymbolic is Cheats {
    uint16 private constant PROGRAMME = 1;
    uint32 private constant EPOCH = 1;
    int64 private constant MOST = 9_007_199_254_740_991;
    bytes32 private constant OPERATION = keccak256("operation");
    bytes32 private constant ANOTHER = keccak256("another");

    string private constant CODE = "contracts/cache/symbolic/out/Credits.sol/Credits.json";

    // Where Credits keeps them; each check looks whether they are there.
    uint256 private constant BALANCES = 3;
    uint256 private constant TOTALS = 4;
    uint256 private constant SPENT = 6;
    uint256 private constant REVERSED = 7;

    Obliging private ledger;
    CreditsFace private credits;

    function setUp() public {
        ledger = new Obliging();
        bytes memory code =
            abi.encodePacked(vm.getCode(CODE), abi.encode(ledger, ledger, ledger, ledger, address(this)));
        address deployed;
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        credits = CreditsFace(deployed);
        ledger.setCouncil(true);
        ledger.setTerms(IProgrammes.AwardTerms(EPOCH, 0, 0, uint64(MOST), false), 0);
    }

    /// @dev Of four balances in one word, an award changes its organisation's by its amount, and no other.
    function check_award__beside_any_balances__changes_one(uint256 word, uint8 place, uint64 amount) public {
        vm.assume(place < 4);
        int64[4] memory before = _setBalances(word);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assume(_inRange(before[i]));
        }
        uint32 orgId = 4 + uint32(place);
        (bool done,) = _award(orgId, amount, OPERATION);
        if (!done) return;
        for (uint32 i = 0; i < 4; ++i) {
            int64 expected = i == place ? before[i] + int64(amount) : before[i];
            assert(credits.balanceOf(PROGRAMME, 4 + i) == expected);
            assert(_inRange(expected));
        }
    }

    /// @dev What passes was within the limit of an award, the budget of the epoch and the cap; it is booked
    /// on each of them, whatever stood there.
    function check_award__by_an_issuer__stays_within_all_limits(
        uint64 amount,
        uint64 perAward,
        uint64 perEpoch,
        uint64 cap,
        uint64 spentBefore,
        uint256 totals
    ) public {
        vm.assume(perAward <= perEpoch && perEpoch <= uint64(MOST) && cap <= uint64(MOST));
        int64 outstanding = int64(uint64(totals));
        int64 refundable = int64(uint64(totals >> 64));
        vm.assume(_inRange(outstanding) && refundable >= 0 && refundable <= MOST);
        vm.assume(spentBefore <= uint64(MOST));
        _setTotals(totals);
        _setSpent(spentBefore);
        assert(credits.outstanding(PROGRAMME) == outstanding && credits.refundable(PROGRAMME) == refundable);
        assert(credits.spent(PROGRAMME, EPOCH, address(this)) == spentBefore);
        ledger.setCouncil(false);
        ledger.setTerms(IProgrammes.AwardTerms(EPOCH, perAward, perEpoch, cap, false), 0);
        (bool done,) = _award(1, amount, OPERATION);
        if (!done) return;
        assert(amount != 0 && amount <= perAward);
        assert(credits.spent(PROGRAMME, EPOCH, address(this)) == spentBefore + amount);
        assert(spentBefore + amount <= perEpoch);
        assert(credits.outstanding(PROGRAMME) == outstanding + int64(amount));
        assert(credits.refundable(PROGRAMME) == refundable);
        assert(outstanding + int64(amount) + refundable <= int64(cap));
    }

    /// @dev A budget by category is kept to as well, whatever was spent in it.
    function check_award__with_a_category_budget__stays_within_it(uint64 first, uint64 second, uint64 inCategory)
        public
    {
        ledger.setCouncil(false);
        vm.assume(inCategory <= uint64(MOST));
        ledger.setTerms(IProgrammes.AwardTerms(EPOCH, uint64(MOST), uint64(MOST), uint64(MOST), true), inCategory);
        (bool one,) = _award(1, first, OPERATION);
        (bool two,) = _award(2, second, ANOTHER);
        uint256 passed = (one ? first : 0) + (two ? uint256(second) : 0);
        assert(passed <= inCategory);
        assert(credits.spentIn(PROGRAMME, EPOCH, address(this), "data.acquire") == passed);
    }

    /// @dev No epoch, no award.
    function check_award__without_an_epoch__is_refused(uint32 orgId, uint64 amount, bool asCouncil) public {
        ledger.setCouncil(asCouncil);
        ledger.setTerms(IProgrammes.AwardTerms(0, uint64(MOST), uint64(MOST), uint64(MOST), false), 0);
        (bool done,) = _award(orgId, amount, OPERATION);
        assert(!done);
    }

    /// @dev An operation is done once, whatever the second command asks for.
    function check_operation__a_second_time__is_refused(
        bytes32 operationId,
        uint32 orgId,
        uint64 amount,
        uint8 what
    ) public {
        (bool done,) = _award(1, 10, operationId);
        assert(done == (operationId != 0));
        if (!done) return;
        if (what == 0) (done,) = _award(orgId, amount, operationId);
        else if (what == 1) (done,) = _expire(1, orgId, amount, 0, operationId);
        else if (what == 2) (done,) = _redeem(orgId, amount, operationId);
        else if (what == 3) (done,) = _refund(orgId, amount, operationId);
        else (done,) = _call(abi.encodeCall(credits.cancelMessage, (operationId)));
        assert(!done);
    }

    /// @dev An award is reversed once, and in full where nothing of it expired.
    function check_award__reversed__is_so_once(uint64 amount, bytes32 evidence, bool asCouncil) public {
        (bool done, ICredits.Reversal[] memory reversals) = _awardToReverse(amount, OPERATION);
        if (!done) return;
        ledger.setCouncil(asCouncil);
        ledger.setTerms(IProgrammes.AwardTerms(EPOCH, 0, uint64(MOST), uint64(MOST), false), 0);
        assert(_reverse(reversals, ANOTHER));
        assert(credits.balanceOf(PROGRAMME, 1) == 0 && credits.outstanding(PROGRAMME) == 0);
        assert(credits.reversedBy(PROGRAMME, 1) == 2);
        ledger.setCouncil(true);
        reversals[0].evidence = evidence;
        assert(!_reverse(reversals, keccak256("a third")));
        (done,) = _expire(1, 1, amount, 0, keccak256("a fourth"));
        assert(!done);
    }

    /// @dev An issuer takes back what is within its budget of the epoch, and no more, whatever it took back
    /// before.
    function check_reversal__by_an_issuer__stays_within_its_budget(
        uint64 amount,
        uint64 perEpoch,
        uint64 reversedBefore
    ) public {
        vm.assume(perEpoch <= uint64(MOST) && reversedBefore <= uint64(MOST));
        (bool done, ICredits.Reversal[] memory reversals) = _awardToReverse(amount, OPERATION);
        if (!done) return;
        _setReversed(reversedBefore);
        assert(credits.reversed(PROGRAMME, EPOCH, address(this)) == reversedBefore);
        ledger.setCouncil(false);
        ledger.setTerms(IProgrammes.AwardTerms(EPOCH, 0, perEpoch, uint64(MOST), false), 0);
        done = _reverse(reversals, ANOTHER);
        assert(done == (reversedBefore + amount <= perEpoch));
        uint64 after_ = done ? reversedBefore + amount : reversedBefore;
        assert(credits.reversed(PROGRAMME, EPOCH, address(this)) == after_);
        assert(credits.spent(PROGRAMME, EPOCH, address(this)) == 0);
    }

    /// @dev What is not the award to the letter is not reversed.
    function check_reversal__of_an_altered_entry__is_refused(uint64 amount, uint8 field, bytes32 value) public {
        (bool done, ICredits.Reversal[] memory reversals) = _awardToReverse(amount, OPERATION);
        vm.assume(done);
        ICredits.Entry memory entry = reversals[0].entry;
        bytes32 before = keccak256(abi.encode(entry));
        if (field == 0) entry.entryId = uint64(uint256(value));
        else if (field == 1) entry.orgId = uint32(uint256(value));
        else if (field == 2) entry.amount = int64(uint64(uint256(value)));
        else if (field == 3) entry.balanceAfter = int64(uint64(uint256(value)));
        else if (field == 4) entry.category = value;
        else if (field == 5) entry.evidence = value;
        else if (field == 6) entry.operationId = value;
        else entry.actor = address(uint160(uint256(value)));
        vm.assume(keccak256(abi.encode(entry)) != before);
        assert(!_reverse(reversals, ANOTHER));
    }

    /// @dev What expired of an award is not taken back a second time, and expires once. An expiry takes no
    /// more than it says, and does not bring the balance below what it leaves.
    function check_award__expired_in_part__keeps_its_books(uint64 amount, uint64 due, uint64 leaves) public {
        (bool done, ICredits.Reversal[] memory reversals) = _awardToReverse(amount, OPERATION);
        if (!done) return;
        (done,) = _expire(1, 1, due, leaves, keccak256("expiry"));
        assert(done == (due != 0 && leaves < amount));
        if (!done) return;
        uint64 expired = due < amount - leaves ? due : amount - leaves;
        assert(credits.balanceOf(PROGRAMME, 1) == int64(amount) - int64(expired));
        assert(credits.outstanding(PROGRAMME) == int64(amount) - int64(expired));
        (done,) = _expire(1, 1, 1, 0, keccak256("another expiry"));
        assert(!done);
        done = _reverse(reversals, ANOTHER);
        assert(done == (expired < amount));
        assert(credits.balanceOf(PROGRAMME, 1) == 0 && credits.outstanding(PROGRAMME) == 0);
    }

    /// @dev Nothing is redeemed that there is not, and nothing refunded or settled that is not redeemed.
    function check_redemption__in_any_state__keeps_the_sum(uint256 word, uint256 totals, uint64 amount, uint8 what)
        public
    {
        int64[4] memory before = _setBalances(word);
        int64 outstanding = int64(uint64(totals));
        int64 refundable = int64(uint64(totals >> 64));
        vm.assume(_inRange(before[0]) && _inRange(outstanding) && refundable >= 0 && refundable <= MOST);
        vm.assume(amount <= uint64(MOST)); // Benefits' own bound
        _setTotals(totals);
        bool done;
        if (what == 0) (done,) = _redeem(4, amount, OPERATION);
        else if (what == 1) (done,) = _refund(4, amount, OPERATION);
        else (done,) = _call(abi.encodeCall(credits.settle, (PROGRAMME, amount)));
        int64 moved = !done || what > 1 ? int64(0) : what == 0 ? -int64(amount) : int64(amount);
        int64 settled = done && what > 1 ? int64(amount) : int64(0);
        assert(credits.balanceOf(PROGRAMME, 4) == before[0] + moved);
        assert(credits.balanceOf(PROGRAMME, 5) == before[1]);
        assert(credits.outstanding(PROGRAMME) == outstanding + moved);
        assert(credits.refundable(PROGRAMME) == refundable - moved - settled);
        assert(credits.refundable(PROGRAMME) >= 0);
        if (done && what == 0) assert(int64(amount) <= before[0]);
    }

    /// @dev Nobody but Benefits redeems, refunds and settles.
    function check_redemption__by_another__is_refused(address sender, uint64 amount, uint8 what) public {
        vm.assume(sender != address(this));
        bytes memory data = abi.encodeCall(credits.settle, (PROGRAMME, amount));
        if (what == 0) data = abi.encodeCall(credits.redeem, (PROGRAMME, 1, amount, 0, sender, OPERATION));
        if (what == 1) data = abi.encodeCall(credits.refund, (PROGRAMME, 1, amount, 1, 0, sender, OPERATION));
        vm.prank(sender);
        (bool done,) = address(credits).call(data);
        assert(!done);
    }

    function _award(uint32 orgId, uint64 amount, bytes32 operationId) private returns (bool, bytes memory) {
        ICredits.Award[] memory awards = new ICredits.Award[](1);
        awards[0] = ICredits.Award(orgId, amount, "data.acquire", "evidence");
        return _call(abi.encodeCall(credits.award, (PROGRAMME, awards, operationId)));
    }

    /// @dev The first award, and what reverses it.
    function _awardToReverse(uint64 amount, bytes32 operationId)
        private
        returns (bool done, ICredits.Reversal[] memory reversals)
    {
        (done,) = _award(1, amount, operationId);
        reversals = new ICredits.Reversal[](1);
        reversals[0].entry = ICredits.Entry({
            entryId: 1,
            programmeId: PROGRAMME,
            orgId: 1,
            kind: ICredits.Kind.Award,
            category: "data.acquire",
            amount: int64(amount),
            balanceAfter: int64(amount),
            evidence: "evidence",
            refersTo: 0,
            actor: address(this),
            operationId: operationId
        });
    }

    function _reverse(ICredits.Reversal[] memory reversals, bytes32 operationId) private returns (bool done) {
        (done,) = _call(abi.encodeCall(credits.reverse, (PROGRAMME, reversals, operationId)));
    }

    function _expire(uint64 entryId, uint32 orgId, uint64 amount, uint64 leaves, bytes32 operationId)
        private
        returns (bool, bytes memory)
    {
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](1);
        expiries[0] = ICredits.Expiry(entryId, orgId, amount, leaves, 0);
        expiries[0].category = "d";
        return _call(abi.encodeCall(credits.expire, (PROGRAMME, expiries, "policy", operationId)));
    }

    function _redeem(uint32 orgId, uint64 amount, bytes32 operationId) private returns (bool, bytes memory) {
        return _call(abi.encodeCall(credits.redeem, (PROGRAMME, orgId, amount, 0, address(this), operationId)));
    }

    function _refund(uint32 orgId, uint64 amount, bytes32 operationId) private returns (bool, bytes memory) {
        return _call(abi.encodeCall(credits.refund, (PROGRAMME, orgId, amount, 1, 0, address(this), operationId)));
    }

    function _call(bytes memory data) private returns (bool, bytes memory) {
        return address(credits).call(data);
    }

    /// @dev Organisations 4 to 7 have the balances of a word. Gives them.
    function _setBalances(uint256 word) private returns (int64[4] memory balances) {
        bytes32 slot = keccak256(abi.encode(uint256(1), keccak256(abi.encode(PROGRAMME, BALANCES))));
        vm.store(address(credits), slot, bytes32(word));
        for (uint32 i = 0; i < 4; ++i) {
            balances[i] = int64(uint64(word >> 64 * i));
            assert(credits.balanceOf(PROGRAMME, 4 + i) == balances[i]);
        }
    }

    function _setTotals(uint256 word) private {
        vm.store(address(credits), keccak256(abi.encode(PROGRAMME, TOTALS)), bytes32(word));
    }

    function _setSpent(uint64 amount) private {
        _setOf(SPENT, amount);
    }

    function _setReversed(uint64 amount) private {
        _setOf(REVERSED, amount);
    }

    /// @dev What this contract spent or reversed in the epoch.
    function _setOf(uint256 kept, uint64 amount) private {
        bytes32 slot = keccak256(abi.encode(EPOCH, keccak256(abi.encode(PROGRAMME, kept))));
        vm.store(address(credits), keccak256(abi.encode(address(this), slot)), bytes32(uint256(amount)));
    }

    function _inRange(int64 amount) private pure returns (bool) {
        return amount >= -MOST && amount <= MOST;
    }
}
